import { TaplineError } from '@tapline/base';
import { parseReference } from '@tapline/oci';
import { resolve } from 'node:path';

/** Where a built image goes. */
export type ImageTarget =
  | { readonly kind: 'layout'; readonly directory: string }
  | {
      readonly kind: 'registry';
      readonly baseUrl: string;
      readonly repository: string;
      readonly tag: string | undefined;
    };

/** `DIR` or `oci://registry:port/repository[:tag]`. Registries on loopback are spoken to in the clear. */
export function parseImageTarget(text: string): ImageTarget {
  if (!text.startsWith('oci://')) return { kind: 'layout', directory: resolve(text) };
  const reference = parseReference(text.slice('oci://'.length));
  if (reference.registry === undefined || reference.digest !== undefined) {
    throw new TaplineError('usage', `${JSON.stringify(text)} names no registry and tag`, {
      hint: 'write it as oci://registry.example:5000/team/jq:1.7.1',
    });
  }
  const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(reference.registry);
  return {
    kind: 'registry',
    baseUrl: `${isLoopback ? 'http' : 'https'}://${reference.registry}`,
    repository: reference.repository,
    tag: reference.tag,
  };
}
