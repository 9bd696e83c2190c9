import { createHash } from 'node:crypto';
import { canonicalJson } from '@tapline/base';
import type { DeliverySpec } from '@tapline/resources';

/** What devices see of a delivery; what steers the rollout only (selector, strategy, paused) is not. */
const seenByDevices = [
  'package',
  'rollout',
  'run',
  'ports',
  'drainSeconds',
  'health',
  'limits',
  'network',
  'segment',
] as const satisfies readonly (keyof DeliverySpec)[];

/** Fingerprint of the part of a delivery that devices see: another one is another revision. */
export function templateFingerprint(spec: DeliverySpec): string {
  const template = Object.fromEntries(seenByDevices.map((field) => [field, spec[field]]));
  return createHash('sha256').update(canonicalJson(template)).digest('hex').slice(0, 16);
}
