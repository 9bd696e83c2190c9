/** Who asks, as authentication found out. */
export interface Identity {
  readonly user: string;
  readonly groups: readonly string[];
  readonly via: 'certificate' | 'token' | 'chat' | 'internal' | 'anonymous';
  /** Of a certificate: SHA-256 over its key's SubjectPublicKeyInfo, base64url. */
  readonly key?: string;
}

/** The group that may do everything. */
export const mastersGroup = 'system:masters';

/** Whoever brings no credentials. */
export const anonymous: Identity = {
  user: 'system:anonymous',
  groups: ['system:unauthenticated'],
  via: 'anonymous',
};

/** A part of the control plane itself, such as `system:tapline:delivery`; may do everything. */
export function internalIdentity(name: string): Identity {
  return { user: `system:tapline:${name}`, groups: [mastersGroup], via: 'internal' };
}
