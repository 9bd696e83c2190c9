import { TaplineError } from '@tapline/base';
import { type Digest, parseReference } from '@tapline/oci';
import type { RegistryClient } from '@tapline/registry';
import { kubeconfigPath } from '../connection/connect.ts';
import type { Console } from '../framework/console.ts';

export interface NamedImage {
  readonly client: RegistryClient;
  readonly repository: string;
  /** A tag or a digest. */
  readonly reference: string;
  /** How others name the repository. */
  readonly name: string;
}

/**
 * The registry and repository of `REPOSITORY[:TAG][@DIGEST]`: the control plane's own where no
 * registry is named, otherwise `oci://REGISTRY/REPOSITORY…`, in the clear on loopback.
 */
export async function openRegistry(
  text: string,
  options: {
    readonly console: Console;
    readonly flags: {
      readonly kubeconfig: string | undefined;
      readonly context: string | undefined;
    };
  },
): Promise<NamedImage> {
  const { console, flags } = options;
  const { createRegistryClient } = await import('@tapline/registry');
  const outside = text.startsWith('oci://');
  const parsed = parseReference(outside ? text.slice('oci://'.length) : `tapline.local/${text}`);
  const reference = parsed.digest ?? parsed.tag;
  if (reference === undefined) {
    throw new TaplineError('usage', `${JSON.stringify(text)} names no tag and no digest`);
  }
  const { registry, repository } = parsed;
  if (outside) {
    const isLoopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/.test(registry);
    const baseUrl = `${isLoopback ? 'http' : 'https'}://${registry}`;
    const client = createRegistryClient({ baseUrl, clock: console.clock });
    return { client, repository, reference, name: `${registry}/${repository}` };
  }
  const { loadKubeconfig } = await import('@tapline/client');
  const path = kubeconfigPath(flags.kubeconfig, console.environment);
  const { baseUrl, ca, credentials } = await loadKubeconfig(
    path,
    flags.context === undefined ? {} : { context: flags.context },
  );
  const tls = {
    ...(ca !== undefined && { ca }),
    ...(credentials.kind === 'certificate' && {
      cert: credentials.certificate,
      key: credentials.key,
    }),
  };
  const client = createRegistryClient({
    baseUrl,
    tls,
    clock: console.clock,
    ...(credentials.kind === 'token' && { authorization: () => `Bearer ${credentials.token}` }),
  });
  return { client, repository, reference, name: repository };
}

/** The manifests that are to be signed or verified: an index, and the images it names. */
export async function manifestsOf({
  client,
  repository,
  reference,
}: NamedImage): Promise<
  readonly { readonly mediaType: string; readonly digest: Digest; readonly size: number }[]
> {
  const { digest, mediaType, bytes, manifest } = await client.manifest(repository, reference);
  const named = { mediaType, digest, size: bytes.length };
  return manifest.kind === 'index' ? [...manifest.index.manifests, named] : [named];
}
