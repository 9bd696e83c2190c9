import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type Clock, TaplineError } from '@tapline/base';

/**
 * What a peer signs to show that it has its key, where TLS cannot show it: each is good once and for a
 * short time. Nothing is kept of those that nobody answers, so that asking costs no memory.
 */
export interface Challenges {
  issue(): string;
  /** Throws `challenge_invalid`, `challenge_expired`, `challenge_used`. */
  check(challenge: string): void;
  /** From here on it is used. Only for one that has passed, and was answered rightly. */
  spend(challenge: string): void;
}

const lifetimeMs = 30_000;
const nonceBytes = 16;
const expiryBytes = 6;
const bodyBytes = nonceBytes + expiryBytes;
const macBytes = 32;

export function createChallenges({ clock }: { readonly clock: Clock }): Challenges {
  // Of this process: what another one issued, or this one before a restart, is not known here.
  const key = randomBytes(32);
  const used = new Map<string, number>();

  function mac(body: Uint8Array): Buffer {
    return createHmac('sha256', key).update(body).digest();
  }

  function expiryOf(challenge: string): number {
    const bytes = Buffer.from(challenge.slice(0, 128), 'base64url');
    const body = bytes.subarray(0, bodyBytes);
    const isOurs =
      bytes.length === bodyBytes + macBytes &&
      timingSafeEqual(bytes.subarray(bodyBytes), mac(body)) &&
      // One text for each challenge, as texts are what is remembered.
      bytes.toString('base64url') === challenge;
    if (isOurs) return body.readUIntBE(nonceBytes, expiryBytes);
    throw new TaplineError('challenge_invalid', 'the challenge is none that this gateway issued', {
      hint: 'ask for another',
    });
  }

  function forgetExpired(now: number): void {
    for (const [challenge, expiry] of used) {
      // In the order of their use, which is nearly that of their end: the rest is for later.
      if (expiry > now) return;
      used.delete(challenge);
    }
  }

  return {
    issue() {
      const body = Buffer.alloc(bodyBytes);
      randomBytes(nonceBytes).copy(body);
      body.writeUIntBE(Math.ceil(clock.monotonic() + lifetimeMs), nonceBytes, expiryBytes);
      return Buffer.concat([body, mac(body)]).toString('base64url');
    },
    check(challenge) {
      const now = clock.monotonic();
      if (expiryOf(challenge) <= now) {
        throw new TaplineError(
          'challenge_expired',
          `the challenge is older than ${lifetimeMs / 1000} s`,
          { hint: 'ask for another' },
        );
      }
      if (!used.has(challenge)) return;
      throw new TaplineError('challenge_used', 'the challenge was answered before', {
        hint: 'ask for another',
      });
    },
    spend(challenge) {
      forgetExpired(clock.monotonic());
      used.set(challenge, expiryOf(challenge));
    },
  };
}
