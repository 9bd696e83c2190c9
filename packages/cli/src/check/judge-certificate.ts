import type { CheckOutcome } from '@tapline/monitoring';
import { stateBelow } from './judge-value.ts';

/** How long a certificate is still good for; limits in seconds. */
export function judgeCertificate(
  whose: string,
  about: { readonly notAfter: string | undefined; readonly nowMs: number },
  limits: { readonly warning: number; readonly critical: number },
): CheckOutcome {
  const { notAfter, nowMs } = about;
  const endMs = Date.parse(notAfter ?? '');
  if (Number.isNaN(endMs)) {
    return { state: 3, output: `the end of the certificate of ${whose} is not known` };
  }
  const seconds = Math.round((endMs - nowMs) / 1000);
  return {
    state: stateBelow(seconds, limits),
    output:
      seconds < 0
        ? `the certificate of ${whose} ended at ${notAfter}`
        : `the certificate of ${whose} ends in ${(seconds / 3600).toFixed(1)} h, at ${notAfter}`,
    performance: [{ label: 'left', value: seconds, unit: 's', ...limits }],
  };
}
