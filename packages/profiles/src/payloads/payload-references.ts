import { TaplineError } from '@tapline/base';
import { stableUuid } from '../profile/stable-uuid.ts';
import type { PayloadContent } from './payload-content.ts';

/** How payloads of one profile name each other. */
export interface PayloadReferences {
  uuid(id: string): string;
  /** The UUID of a payload that gives a key with its certificate. */
  identity(id: string, from: string): string;
  /** Which kind of key such a payload gives. */
  keyType(id: string): 'RSA' | 'ECDSA256';
  /** The UUID of a payload that is a certificate. */
  certificate(id: string, from: string): string;
}

const identities: ReadonlySet<PayloadContent['kind']> = new Set(['pkcs12', 'acme', 'scep']);

export function payloadReferences(
  profile: string,
  payloads: readonly Pick<PayloadContent, 'id' | 'kind'>[],
): PayloadReferences {
  const kinds = new Map(payloads.map(({ id, kind }) => [id, kind]));
  const uuid = (id: string): string => stableUuid(`${profile}.${id}`);

  function refer(id: string, from: string, allowed: (kind: string) => boolean): string {
    const kind = kinds.get(id);
    if (kind !== undefined && allowed(kind)) return uuid(id);
    const what = kind === undefined ? 'which is not in the profile' : `which is a ${kind}`;
    throw new TaplineError('profile_invalid', `payload ${from} refers to ${id}, ${what}`, {
      details: { field: from },
    });
  }
  return {
    uuid,
    identity: (id, from) => refer(id, from, (kind) => identities.has(kind as 'pkcs12')),
    // Keys of ACME are of P-256 here; those of SCEP are RSA, and what PKCS #12 holds mostly is.
    keyType: (id) => (kinds.get(id) === 'acme' ? 'ECDSA256' : 'RSA'),
    certificate: (id, from) => refer(id, from, (kind) => kind === 'certificate'),
  };
}
