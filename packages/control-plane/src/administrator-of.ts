import { type Identity, mastersGroup } from '@tapline/apiserver';
import { TaplineError } from '@tapline/base';

/**
 * Who sends the request, where that is an administrator; throws `unauthorized` or `forbidden`. `what`: as in
 * "may not …".
 */
export function administratorOf(identity: Identity | undefined, what: string): Identity {
  if (identity === undefined) {
    throw new TaplineError('unauthorized', 'authentication is required');
  }
  if (identity.groups.includes(mastersGroup)) return identity;
  throw new TaplineError('forbidden', `user ${identity.user} may not ${what}; administrators may`);
}
