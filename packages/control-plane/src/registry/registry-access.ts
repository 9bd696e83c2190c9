import type { IncomingMessage } from 'node:http';
import { isTaplineError } from '@tapline/base';
import { type ApiServer, type Identity, mastersGroup } from '@tapline/apiserver';
import { deviceOfUser } from '@tapline/gateway';
import {
  type Authorization,
  basicPassword,
  type RegistryAccess as Access,
  type RegistryScope,
  type TokenService,
} from '@tapline/registry';
import { type Install, taplineGroup } from '@tapline/resources';

/** Who may use the embedded registry, and for what. */
export interface RegistryAccess {
  /**
   * Who sends a request: by its client certificate, an access token as a bearer, or one as the
   * password of basic authentication. Undefined where nobody known does.
   */
  identify(request: IncomingMessage, password?: string): Identity | undefined;
  /** Also by a token of the registry. */
  whoSends(
    request: IncomingMessage,
    tokens: Pick<TokenService<Identity>, 'verify'>,
  ): Identity | undefined;
  mayDo(identity: Identity, access: Access): boolean;
  /** With tokens of the registry, too: what they allow and their bearer still may. */
  authorize(
    request: IncomingMessage,
    access: Access,
    tokens: Pick<TokenService<Identity>, 'verify'>,
  ): Authorization;
}

/**
 * Administrators may do everything; a device that may read its Device pulls the images of its own
 * Installs; users who may read packages pull.
 */
export function createRegistryAccess(init: {
  readonly api: Pick<ApiServer, 'authenticate' | 'identityOfToken' | 'allows'>;
  readonly installsOf: (device: string) => readonly Install[];
}): RegistryAccess {
  const { api } = init;

  function identify(request: IncomingMessage, password?: string): Identity | undefined {
    const secret = password ?? basicPassword(request);
    if (secret !== undefined) return api.identityOfToken(secret);
    try {
      const identity = api.authenticate(request);
      return identity.via === 'anonymous' ? undefined : identity;
    } catch (error) {
      // A token that is not valid is answered like none: with a challenge.
      if (isTaplineError(error, 'unauthorized')) return undefined;
      throw error;
    }
  }

  function mayDo(identity: Identity, { action, repository }: Access): boolean {
    if (identity.groups.includes(mastersGroup)) return true;
    if (action !== 'pull' && action !== 'list') return false;
    const device = deviceOfUser(identity.user);
    const read = { verb: 'get', group: taplineGroup };
    if (device === undefined) return api.allows(identity, { ...read, resource: 'packages' });
    if (!api.allows(identity, { ...read, resource: 'devices', name: device })) return false;
    if (repository === undefined) return true;
    return init.installsOf(device).some(({ spec }) => spec.image.repository === repository);
  }

  // A list of repositories is decided on name by name: who asks is found out once.
  const senders = new WeakMap<IncomingMessage, Sender | undefined>();

  function senderOf(
    request: IncomingMessage,
    tokens: Pick<TokenService<Identity>, 'verify'>,
  ): Sender | undefined {
    if (senders.has(request)) return senders.get(request);
    const bearer = jwtOf(request);
    const identity = bearer === undefined ? identify(request) : undefined;
    const sender =
      bearer !== undefined
        ? tokens.verify(bearer)
        : identity === undefined
          ? undefined
          : { identity, access: undefined };
    senders.set(request, sender);
    return sender;
  }

  return {
    identify,
    mayDo,
    whoSends(request, tokens) {
      const bearer = jwtOf(request);
      return bearer === undefined ? identify(request) : tokens.verify(bearer)?.identity;
    },
    authorize(request, access, tokens) {
      const sender = senderOf(request, tokens);
      if (sender === undefined) return 'unauthenticated';
      // What it may do now, not when it got the token: its Device or role may have gone since.
      if (!mayDo(sender.identity, access)) return 'denied';
      // The client can get a token for this one.
      return sender.access === undefined || covers(sender.access, access)
        ? 'allowed'
        : 'unauthenticated';
    },
  };
}

/** Who sends a request; with a token of the registry, also what that is for. */
interface Sender {
  readonly identity: Identity;
  readonly access: readonly RegistryScope[] | undefined;
}

function covers(scopes: readonly RegistryScope[], { repository, action }: Access): boolean {
  if (action === 'list') {
    return scopes.some(({ type, name }) => type === 'registry' && name === 'catalog');
  }
  return (
    repository === undefined ||
    scopes.some(
      ({ type, name, actions }) =>
        type === 'repository' && name === repository && actions.includes(action),
    )
  );
}

/** A bearer that is a JWT; access tokens begin with `tla.` and have no such form. */
function jwtOf({ headers }: IncomingMessage): string | undefined {
  return /^Bearer +(ey[\w-]+\.[\w-]+\.[\w-]+)$/i.exec(headers.authorization ?? '')?.[1];
}
