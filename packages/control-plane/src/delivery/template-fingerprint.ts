import { createHash } from 'node:crypto';
import { canonicalJson } from '@tapline/base';
import type { DeliverySpec } from '@tapline/resources';

/**
 * Fingerprint of the part of a delivery that devices see: another one is another revision. What
 * steers the rollout only (selector, strategy, paused) is not in it.
 */
export function templateFingerprint(spec: DeliverySpec): string {
  const {
    package: wanted,
    rollout,
    run,
    ports,
    drainSeconds,
    health,
    limits,
    network,
    segment,
  } = spec;
  const template = {
    package: wanted,
    rollout,
    run,
    ports,
    drainSeconds,
    health,
    limits,
    network,
    segment,
  };
  return createHash('sha256').update(canonicalJson(template)).digest('hex').slice(0, 16);
}
