import { claimText, parseJoinToken } from '@tapline/gateway';
import { createGatewayEndpoints } from './gateway-endpoints.ts';
import { openPageDatabase } from './page-database.ts';
import { checkAuthority, type PageIdentity, storePageIdentity } from './page-identity.ts';
import { openPageKey } from './page-key.ts';
import { hexDigestOf } from './sha256.ts';

export interface JoinPageRequest {
  /** The control plane; the page's own origin, as browsers refuse others. */
  readonly server: URL;
  readonly token: string;
  readonly name: string;
  /** Of the images that it is to get, such as `linux/arm64`. */
  readonly platform: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** The name of the page's storage: a device each. */
  readonly storage: string;
  readonly signal?: AbortSignal;
}

/**
 * Makes the page a device: its key is made here and stays here. Once more with the same name it gets a new
 * certificate. Errors: those of enrolment, `ca_mismatch`, `gateway_unreachable`.
 */
export async function joinPage(request: JoinPageRequest): Promise<PageIdentity> {
  const { server, token, name, platform, labels = {}, signal } = request;
  const { caFingerprint } = parseJoinToken(token);
  using database = await openPageDatabase(request.storage);
  const key = await openPageKey(database);
  const endpoints = createGatewayEndpoints(server);
  // Before the token is sent: whoever answers must be who it is for.
  await checkAuthority((await endpoints.challenge(signal)).ca, caFingerprint);
  const hash = await hexDigestOf(new TextEncoder().encode(token));
  const proof = await key.sign(claimText({ name, platform }, hash));
  const body = { token, name, platform, labels, publicKey: key.publicKey, proof };
  return await storePageIdentity(database, await endpoints.enrol(body, signal));
}
