import { type Clock, isRecord } from '@tapline/base';
import type { FabricMetrics } from './fabric.ts';
import type { FabricHelper, Reading } from './fabric-helper.ts';
import { macsecName, parseWireguard } from '@tapline/segments';
import { segmentMetrics } from './segment-metrics.ts';

/** What counters are in. */
export const metricReadings: readonly Reading[] = [
  'statistics',
  'vniCounters',
  'vlans',
  'counters',
  'wireguard',
  'macsecCounters',
];

/** The counters that the kernel keeps anyway, from what its programs print. */
export async function fabricMetrics(
  outputs: Readonly<Partial<Record<Reading, string>>>,
  {
    helper,
    clock,
    driftMended,
    sendEpoch,
  }: {
    readonly helper: Pick<FabricHelper, 'wireguardKey' | 'keys'>;
    readonly clock: Clock;
    readonly driftMended: number;
    /** Of IPsec and MACsec, where the node has segments that ask for them. */
    readonly sendEpoch: number | undefined;
  },
): Promise<FabricMetrics> {
  const { statistics = '', vniCounters = '', counters = '' } = outputs;
  const { wireguard = '', macsecCounters = '' } = outputs;
  const peers = parseWireguard(wireguard).flatMap((device) => device.peers);
  const seconds = clock.now() / 1000;
  const key = wireguard.trim() === '' ? undefined : await helper.wireguardKey();
  const used = sendEpoch === undefined ? {} : (await helper.keys()).used;
  const oldest = (use: string): number | undefined => {
    const times = Object.entries(used).flatMap(([id, at]) => {
      const words = id.split(' ');
      return words[0] === use && Number(words[3]) === sendEpoch ? [at] : [];
    });
    return times.length === 0 ? undefined : Math.max(0, seconds - Math.min(...times) / 1000);
  };
  const [espKeyAgeSeconds, macsecKeyAgeSeconds] = [oldest('esp'), oldest('macsec')];
  return {
    segments: segmentMetrics({ statistics, vniCounters, counters, vlans: outputs.vlans ?? '' }),
    drops: { ...dropCounts(counters), ...macsecDrops(macsecCounters) },
    handshakeAgeSeconds: Object.fromEntries(
      peers
        .filter(({ latestHandshake }) => latestHandshake > 0)
        .map(({ publicKey, latestHandshake }) => [
          publicKey,
          Math.max(0, seconds - latestHandshake),
        ]),
    ),
    ...(key !== undefined && { keyAgeSeconds: Math.max(0, seconds - key.madeAt / 1000) }),
    ...(espKeyAgeSeconds !== undefined && { espKeyAgeSeconds }),
    ...(macsecKeyAgeSeconds !== undefined && { macsecKeyAgeSeconds }),
    driftMended,
  };
}

/** The same counter stands in more than one table. */
function dropCounts(output: string): Readonly<Record<string, number>> {
  const drops: Record<string, number> = {};
  const root: unknown = output.trim() === '' ? {} : JSON.parse(output);
  const list =
    isRecord(root) && Array.isArray(root['nftables']) ? (root['nftables'] as unknown[]) : [];
  for (const entry of list) {
    const counter = isRecord(entry) ? entry['counter'] : undefined;
    if (!isRecord(counter) || counter['table'] !== 'tapline') continue;
    const name = String(counter['name']).replace(/^drop_/, '');
    drops[name] = (drops[name] ?? 0) + count(counter['packets']);
  }
  return drops;
}

/** Frames of the encrypted link that were not taken, by why; the kernel counts them for each channel. */
const macsecReasons = {
  macsec_tag: ['InPktsBadTag', 'InPktsNoTag', 'InPktsUntagged'],
  macsec_stranger: ['InPktsUnknownSCI', 'InPktsNoSCI'],
  macsec_key: ['InPktsNotUsingSA', 'InPktsUnusedSA'],
  macsec_replay: ['InPktsLate', 'InPktsDelayed'],
  macsec_forged: ['InPktsNotValid', 'InPktsInvalid'],
} as const;

function macsecDrops(output: string): Readonly<Record<string, number>> {
  const devices = records(output).filter(({ ifname }) => ifname === macsecName);
  if (devices.length === 0) return {};
  const channels = devices.flatMap(({ rx_sc: list }) =>
    Array.isArray(list) ? (list as unknown[]).filter(isRecord) : [],
  );
  return Object.fromEntries(
    Object.entries(macsecReasons).map(([reason, names]) => [
      reason,
      [...devices, ...channels]
        .flatMap((entry) => names.map((name) => count(entry[name])))
        .reduce((sum, value) => sum + value, 0),
    ]),
  );
}

function records(output: string): readonly Readonly<Record<string, unknown>>[] {
  const value: unknown = output.trim() === '' ? [] : JSON.parse(output);
  return Array.isArray(value) ? (value as unknown[]).filter(isRecord) : [];
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
