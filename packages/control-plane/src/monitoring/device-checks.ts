import { formatBytes } from '@tapline/base';
import type { CheckOutcome, MonitoredCheck } from '@tapline/monitoring';
import type { Device, Install } from '@tapline/resources';

const hourMs = 3_600_000;
// A certificate is for a day, and agents renew it long before: these have failed to.
const certificateHours = { warning: 6, critical: 2 };
const freeShare = { warning: 0.1, critical: 0.03 };
// TLS and tokens bear some minutes; what people compare by eye does not.
const skewSeconds = { warning: 30, critical: 240 };

/** Whether the device is there, as a host's state. */
export function presenceOutcome({ status }: Device): CheckOutcome {
  const { presence, conditions } = status ?? {};
  if (presence === undefined) return { state: 1, output: 'has not connected yet' };
  const ready = conditions?.find(({ type }) => type === 'Ready');
  const fallback = presence.connected
    ? `session ${presence.epoch} is open since ${presence.since}`
    : `session ${presence.epoch} ended at ${presence.since}`;
  return {
    state: presence.connected ? 0 : 1,
    // The condition follows presence, and may be a moment behind.
    output:
      (ready?.status === 'True') === presence.connected ? (ready?.message ?? fallback) : fallback,
    performance: [{ label: 'session', value: presence.epoch, unit: 'c' }],
  };
}

/** What is watched of every device. */
export function deviceChecks(
  device: Device,
  { installs, nowMs }: { readonly installs: readonly Install[]; readonly nowMs: number },
): readonly MonitoredCheck[] {
  return [
    { name: 'certificate', title: 'Certificate', outcome: certificateOutcome(device, nowMs) },
    { name: 'clock', title: 'Clock', outcome: clockOutcome(device) },
    { name: 'disk', title: 'Disk space for images', outcome: diskOutcome(device) },
    { name: 'packages', title: 'Packages', outcome: packagesOutcome(installs) },
    { name: 'tunnel', title: 'Tunnel', outcome: tunnelOutcome(device) },
  ];
}

/** As the host, for who looks at services; Icinga says that it flaps where sessions come and go. */
function tunnelOutcome(device: Device): CheckOutcome {
  if (device.status?.presence === undefined) return notReported('over a tunnel');
  const presence = presenceOutcome(device);
  return { ...presence, state: presence.state === 0 ? 0 : 2 };
}

function certificateOutcome({ status }: Device, nowMs: number): CheckOutcome {
  const end = status?.certificateNotAfter;
  if (end === undefined) return notReported('the end of its certificate');
  const hours = Math.floor((Date.parse(end) - nowMs) / hourMs);
  const { warning, critical } = certificateHours;
  return {
    state: hours < critical ? 2 : hours < warning ? 1 : 0,
    output: `${hours < 0 ? 'ended' : 'ends'} ${end}`,
    performance: [
      // Whole hours: what changes with every look would be told with every look.
      {
        label: 'remaining',
        value: Math.max(0, hours) * 3600,
        unit: 's',
        warning: warning * 3600,
        critical: critical * 3600,
      },
    ],
  };
}

function clockOutcome({ status }: Device): CheckOutcome {
  const skew = status?.clockSkewSeconds;
  if (skew === undefined) return notReported('its clock');
  const { warning, critical } = skewSeconds;
  const away = Math.abs(skew);
  return {
    state: away >= critical ? 2 : away >= warning ? 1 : 0,
    output: `is ${away.toFixed(2)} s ${skew < 0 ? 'behind' : 'ahead'}`,
    performance: [
      { label: 'skew', value: Math.round(skew * 100) / 100, unit: 's', warning, critical },
    ],
  };
}

function diskOutcome({ status }: Device): CheckOutcome {
  const storage = status?.storage;
  if (storage === undefined) return notReported('its disk space');
  const { freeBytes: free, usedBytes, reservedBytes } = storage;
  const all = free + usedBytes + reservedBytes;
  const share = all === 0 ? 0 : free / all;
  return {
    state: share < freeShare.critical ? 2 : share < freeShare.warning ? 1 : 0,
    output: `${formatBytes(free)} free of ${formatBytes(all)}`,
    performance: [
      {
        label: 'free',
        value: free,
        unit: 'B',
        warning: Math.round(all * freeShare.warning),
        critical: Math.round(all * freeShare.critical),
        min: 0,
        max: all,
      },
      { label: 'reserved', value: reservedBytes, unit: 'B', min: 0 },
    ],
  };
}

function packagesOutcome(installs: readonly Install[]): CheckOutcome {
  const inState = (state: string): readonly string[] =>
    installs
      .filter(({ status }) => status?.state === state)
      .map(({ spec }) => spec.formula)
      .toSorted();
  const failed = inState('Failed');
  const back = inState('RolledBack');
  const said = [
    ...(failed.length > 0 ? [`failed: ${failed.join(', ')}`] : []),
    ...(back.length > 0 ? [`rolled back: ${back.join(', ')}`] : []),
  ];
  return {
    state: failed.length > 0 ? 2 : back.length > 0 ? 1 : 0,
    output: said.length > 0 ? said.join('; ') : `${installs.length} installed`,
    performance: [
      { label: 'packages', value: installs.length, min: 0 },
      { label: 'failed', value: failed.length, critical: 1, min: 0 },
      { label: 'rolled-back', value: back.length, warning: 1, min: 0 },
    ],
  };
}

function notReported(what: string): CheckOutcome {
  return { state: 3, output: `has not reported ${what} yet` };
}
