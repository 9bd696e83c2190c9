import { clockSkewMs } from './clock-skew.ts';
import type { Finding } from './finding.ts';
import type { PathObservation } from './path-observation.ts';

// Deliveries do not mind: each duration is measured by one clock. Logs of two machines do.
const noticeableMs = 5000;
// Certificates are valid from a day before they were made.
const tooMuchMs = 86_400_000;
/** HTTP's Date is cut to a second. */
const dateStepMs = 1000;

/** This machine's clock beside the control plane's. */
export function judgeClock({ clock }: PathObservation): readonly Finding[] {
  if (clock === undefined) return [];
  const skewMs = clockSkewMs({ clock });
  const uncertainMs = Math.round((clock.receivedMs - clock.sentMs) / 2 + dateStepMs / 2);
  const details = { skewMs, uncertainMs };
  const direction = skewMs > 0 ? 'ahead of' : 'behind';
  const amount = `${(Math.abs(skewMs) / 1000).toFixed(1)} s ± ${(uncertainMs / 1000).toFixed(1)} s`;
  const message = `this machine's clock is ${amount} ${direction} the control plane's`;
  const hint = 'see whether a time service runs on both';
  if (Math.abs(skewMs) - uncertainMs > tooMuchMs) {
    return [{ code: 'clock_skew_large', level: 'error', message, hint, details }];
  }
  if (Math.abs(skewMs) - uncertainMs > noticeableMs) {
    return [{ code: 'clock_skew', level: 'warning', message, hint, details }];
  }
  const agree = `the clocks agree to within ${((Math.abs(skewMs) + uncertainMs) / 1000).toFixed(1)} s`;
  return [{ code: 'clock_ok', level: 'ok', message: agree, details }];
}
