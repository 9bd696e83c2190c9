import { TaplineError } from '@tapline/base';
import type { Credentials } from './http-client.ts';

/** What a kubeconfig's context says about reaching an API. */
export interface KubeconfigContext {
  readonly baseUrl: string;
  readonly ca?: string;
  readonly credentials: Credentials;
  readonly namespace: string;
}

/** Reads a context (the current one where no name is given) from a kubeconfig file. */
export async function loadKubeconfig(
  path: string,
  options: { readonly context?: string } = {},
): Promise<KubeconfigContext> {
  throw new TaplineError('unavailable', `cannot read ${path} ${options.context ?? ''} yet`);
}
