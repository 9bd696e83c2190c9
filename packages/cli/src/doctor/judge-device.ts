import type { Finding } from './finding.ts';
import { clockSkewMs } from './clock-skew.ts';
import type { PathObservation } from './path-observation.ts';

// Renewed at two thirds of its life, or up to a tenth later.
const lateShare = 0.85;

/** Whether this machine's own certificate is renewed in time. */
export function judgeDevice(seen: PathObservation): readonly Finding[] {
  const { device, nowMs } = seen;
  if (device === undefined) {
    const message = 'no device has joined from the data folder of this machine';
    return [{ code: 'device_not_joined', level: 'note', message, details: {} }];
  }
  const { name, issuedAtMs, notAfterMs } = device;
  const serverNowMs = nowMs - clockSkewMs(seen);
  const notAfter = new Date(notAfterMs).toISOString();
  const details = { device: name, notAfter };
  if (serverNowMs > notAfterMs) {
    return [
      {
        code: 'device_certificate_expired',
        level: 'error',
        message: `the certificate of device ${name} ended at ${notAfter}`,
        hint: 'start its agent, which renews it; where that is refused, the device was revoked or deleted',
        details,
      },
    ];
  }
  if (serverNowMs > issuedAtMs + (notAfterMs - issuedAtMs) * lateShare) {
    return [
      {
        code: 'device_certificate_late',
        level: 'warning',
        message: `the certificate of device ${name} ends at ${notAfter} and should have been renewed by now`,
        hint: 'see whether its agent runs, and what it logs',
        details,
      },
    ];
  }
  const message = `the certificate of device ${name} is good until ${notAfter}`;
  return [{ code: 'device_certificate_ok', level: 'ok', message, details }];
}
