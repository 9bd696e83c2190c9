import { TaplineError } from '@tapline/base';
import { parseReference } from '@tapline/oci';
import { resolve } from 'node:path';

/** What an image or a repository is called on a command line. */
export type ImagePlace =
  | { readonly kind: 'layout'; readonly directory: string; readonly tag: string | undefined }
  | {
      readonly kind: 'registry';
      /** Undefined for the control plane's. */
      readonly host: string | undefined;
      readonly repository: string;
      readonly tag: string | undefined;
      readonly digest: string | undefined;
    };

// No host has such a name: what comes out with it named no registry.
const ownRegistry = 'own-registry.invalid';

/**
 * `REPOSITORY[:TAG][@DIGEST]` of the control plane's registry, the same with a host before it, or
 * `oci:DIR[:TAG]` for a folder.
 */
export function parseImagePlace(text: string): ImagePlace {
  if (text.startsWith('oci:') && !text.startsWith('oci://')) {
    const [, directory = '', tag] = /^oci:(.+?)(?::([\w][\w.-]{0,127}))?$/.exec(text) ?? [];
    if (directory === '') {
      throw new TaplineError('usage', `${JSON.stringify(text)} names no folder`, {
        hint: 'write it as oci:DIR or oci:DIR:TAG',
      });
    }
    return { kind: 'layout', directory: resolve(directory), tag };
  }
  const plain = text.replace(/^(?:oci|docker):\/\//, '');
  const isTagged = /(?::[^/]+|@.+)$/.test(plain.replace(/^[^/]+:\d+\//, ''));
  const { registry, repository, tag, digest } = parseReference(plain, {
    defaultRegistry: ownRegistry,
  });
  return {
    kind: 'registry',
    host: registry === ownRegistry ? undefined : registry,
    repository,
    tag: isTagged ? tag : undefined,
    digest,
  };
}
