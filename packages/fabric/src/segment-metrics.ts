import { isRecord } from '@tapline/base';
import { nftTableName, parseVlanTunnels, vlanMark, vniOfPort } from '@tapline/segments';
import type { SegmentMetrics } from './fabric.ts';

type Fields = Readonly<Record<string, unknown>>;

interface Counts {
  receivedPackets: number;
  receivedBytes: number;
  sentPackets: number;
  sentBytes: number;
  sendErrors: number;
  droppedPackets: number;
  policyDrops: number;
  portErrors: number;
  wayErrors: number;
}

/**
 * What each segment's frames came to, from what `ip -s link`, `bridge -s vni`, `nft list ruleset`
 * and `bridge vlan tunnelshow` print.
 */
export function segmentMetrics(outputs: {
  readonly statistics: string;
  readonly vniCounters: string;
  readonly counters: string;
  readonly vlans: string;
}): readonly SegmentMetrics[] {
  const segments = new Map<number, Counts>();
  for (const link of records(outputs.statistics)) addLink(segments, link);
  for (const device of records(outputs.vniCounters)) addVnis(segments, device);
  addDrops(segments, outputs);
  return [...segments].map(([vni, { portErrors, wayErrors, ...counts }]) => ({
    vni,
    ...counts,
    mtuErrors: { port: portErrors, way: wayErrors },
  }));
}

function countsOf(segments: Map<number, Counts>, vni: number): Counts {
  let counts = segments.get(vni);
  if (counts === undefined) segments.set(vni, (counts = noCounts()));
  return counts;
}

function noCounts(): Counts {
  return {
    receivedPackets: 0,
    receivedBytes: 0,
    sentPackets: 0,
    sentBytes: 0,
    sendErrors: 0,
    droppedPackets: 0,
    policyDrops: 0,
    portErrors: 0,
    wayErrors: 0,
  };
}

function addLink(segments: Map<number, Counts>, { ifname, stats64: stats }: Fields): void {
  const name = String(ifname);
  if (!isRecord(stats)) return;
  const received = isRecord(stats['rx']) ? stats['rx'] : {};
  const sent = isRecord(stats['tx']) ? stats['tx'] : {};
  const port = vniOfPort(name);
  if (port !== undefined) {
    // A veth takes nothing that is longer than its MTU, and says so here only.
    countsOf(segments, port).portErrors += count(received['dropped']);
    return;
  }
  const [, vni] = /^tv([1-9][0-9]*)$/.exec(name) ?? [];
  if (vni === undefined) return;
  const counts = countsOf(segments, Number(vni));
  counts.receivedPackets += count(received['packets']);
  counts.receivedBytes += count(received['bytes']);
  counts.sentPackets += count(sent['packets']);
  counts.sentBytes += count(sent['bytes']);
  // Those without a route are among the errors.
  counts.sendErrors += count(sent['errors']);
  counts.droppedPackets += count(sent['dropped']) + count(received['dropped']);
}

/** Of a device of many VNIs. */
function addVnis(segments: Map<number, Counts>, { ifname, vnis }: Fields): void {
  if (!/^tv000[0-9]$/.test(String(ifname)) || !Array.isArray(vnis)) return;
  for (const entry of (vnis as unknown[]).filter(isRecord)) {
    const stats = entry['stats'];
    if (!isRecord(stats)) continue;
    const counts = countsOf(segments, count(entry['vni']));
    counts.receivedPackets += count(stats['rx_pkts']);
    counts.receivedBytes += count(stats['rx_bytes']);
    counts.sentPackets += count(stats['tx_pkts']);
    counts.sentBytes += count(stats['tx_bytes']);
    counts.sendErrors += count(stats['tx_errors']);
    counts.droppedPackets += count(stats['tx_drops']) + count(stats['rx_drops']);
  }
}

/** What rules have counted for each interface of arrival and mark. */
function addDrops(
  segments: Map<number, Counts>,
  { counters, vlans }: { readonly counters: string; readonly vlans: string },
): void {
  const root: unknown = counters.trim() === '' ? {} : JSON.parse(counters);
  const entries = isRecord(root) ? root['nftables'] : undefined;
  if (!Array.isArray(entries)) return;
  const ofMark = new Map(
    (vlans.trim() === '' ? [] : parseVlanTunnels(vlans)).map(({ dev, vlan, vni }) => [
      `${dev} ${vlanMark(vlan, 0)}`,
      vni,
    ]),
  );
  for (const entry of entries as readonly unknown[]) {
    const set = isRecord(entry) ? entry['set'] : undefined;
    if (!isRecord(set) || set['table'] !== nftTableName || set['family'] !== 'bridge') continue;
    const { name, elem: elements } = set;
    if ((name !== 'policy_drops' && name !== 'too_big') || !Array.isArray(elements)) continue;
    for (const { device, mark, packets } of (elements as unknown[]).flatMap(readElement)) {
      const own = /^tv([1-9][0-9]*)$/.exec(device)?.[1];
      const vni =
        vniOfPort(device) ??
        (own === undefined ? ofMark.get(`${device} ${(mark & ~0xffff) >>> 0}`) : Number(own));
      if (vni === undefined) continue;
      const counts = countsOf(segments, vni);
      if (name === 'too_big') counts.wayErrors += packets;
      else counts.policyDrops += packets;
    }
  }
}

function readElement(
  value: unknown,
): readonly { readonly device: string; readonly mark: number; readonly packets: number }[] {
  const element = isRecord(value) ? value['elem'] : undefined;
  if (!isRecord(element)) return [];
  const { val: key, counter } = element;
  const parts = isRecord(key) ? key['concat'] : undefined;
  if (!Array.isArray(parts) || !isRecord(counter)) return [];
  const [device, mark] = parts as readonly unknown[];
  if (typeof device !== 'string') return [];
  return [{ device, mark: Number(mark), packets: count(counter['packets']) }];
}

function records(output: string): readonly Fields[] {
  const value: unknown = output.trim() === '' ? [] : JSON.parse(output);
  return Array.isArray(value) ? (value as unknown[]).filter(isRecord) : [];
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
