import type { FilePlace } from './file-place.ts';

/** Where the API has a file of a device. */
export function filePath(
  { device, path }: Extract<FilePlace, { kind: 'device' }>,
  subresource: 'file' | 'upload',
): string {
  const query = new URLSearchParams({ path });
  return `/apis/tapline.dev/v1alpha1/devices/${device}/${subresource}?${query.toString()}`;
}
