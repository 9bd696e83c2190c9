import type { IncomingMessage } from 'node:http';

/** What a request wants to do. No repository for the ping and for the catalog as such. */
export interface RegistryAccess {
  readonly repository: string | undefined;
  /** `list` is to see the name of a repository in the catalog, for those who may pull from it. */
  readonly action: 'pull' | 'push' | 'delete' | 'list';
}

/** `unauthenticated` becomes 401 with a challenge, `denied` 403. */
export type Authorization = 'allowed' | 'unauthenticated' | 'denied';

/** Decides on each request; the identity is in its headers or its client certificate. */
export type Authorize = (
  request: IncomingMessage,
  access: RegistryAccess,
) => Authorization | Promise<Authorization>;
