import type { IncomingMessage } from 'node:http';

/** What a request wants to do. No repository for the ping. */
export interface RegistryAccess {
  readonly repository: string | undefined;
  readonly action: 'pull' | 'push' | 'delete';
}

/** `unauthenticated` becomes 401 with a challenge, `denied` 403. */
export type Authorization = 'allowed' | 'unauthenticated' | 'denied';

/** Decides on each request; the identity is in its headers or its client certificate. */
export type Authorize = (
  request: IncomingMessage,
  access: RegistryAccess,
) => Authorization | Promise<Authorization>;
