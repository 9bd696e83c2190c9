import { TaplineError } from '@tapline/base';

/** A file here or of a device. */
export type FilePlace =
  | { readonly kind: 'here'; readonly path: string }
  | { readonly kind: 'device'; readonly device: string; readonly path: string };

/** `edge-1:notes.txt` is of a device; anything else is here, as is `./a:b`. */
export function parseFilePlace(text: string): FilePlace {
  const match = /^([a-z0-9]([-a-z0-9]*[a-z0-9])?):(.+)$/s.exec(text);
  const [, device, , path] = match ?? [];
  if (device !== undefined && path !== undefined) return { kind: 'device', device, path };
  if (text !== '') return { kind: 'here', path: text };
  throw new TaplineError('usage', 'a file has no name');
}
