import { Gauge, type Registry } from 'prom-client';
import type { SegmentAgent } from './segment-agent.ts';

/** Segments of a node that have label values of their own; the rest is summed up as `other`. */
const mostSegments = 1000;

/** Counters of segments in Prometheus's form, read from the kernel when somebody asks. */
export function createSegmentGauges(registry: Registry, read: SegmentAgent['metrics']): void {
  let reading: Promise<void> | undefined;
  /** All gauges are collected at once, and whichever is first reads for all of them. */
  const collect = async (): Promise<void> => {
    reading ??= fill().finally(() => {
      reading = undefined;
    });
    await reading;
  };
  const common = { registers: [registry], collect };
  const packets = new Gauge({
    name: 'tapline_segment_packets_total',
    help: 'Packets through a segment, to and from other nodes.',
    labelNames: ['segment', 'direction'],
    ...common,
  });
  const bytes = new Gauge({
    name: 'tapline_segment_bytes_total',
    help: 'Bytes through a segment, to and from other nodes.',
    labelNames: ['segment', 'direction'],
    ...common,
  });
  const errors = new Gauge({
    name: 'tapline_segment_send_errors_total',
    help: 'Frames that could not be sent to other nodes.',
    labelNames: ['segment'],
    ...common,
  });
  const mtuErrors = new Gauge({
    name: 'tapline_segment_mtu_errors_total',
    help: 'Frames that were too large: at a port of this node, or for the way to another node.',
    labelNames: ['segment', 'at'],
    ...common,
  });
  const policyDrops = new Gauge({
    name: 'tapline_segment_policy_drops_total',
    help: 'Frames of a segment that its policy did not let pass on this node.',
    labelNames: ['segment'],
    ...common,
  });
  const drops = new Gauge({
    name: 'tapline_segment_drops_total',
    help: 'Frames dropped on this node, of all segments, by why.',
    labelNames: ['reason'],
    ...common,
  });
  const drifts = new Gauge({
    name: 'tapline_segment_drifts_total',
    help: 'How often the network was not as it had been left, and was mended.',
    ...common,
  });
  const keyAge = new Gauge({
    name: 'tapline_segment_key_age_seconds',
    help: 'Since the oldest key in use was made, by what it is for.',
    labelNames: ['use'],
    ...common,
  });
  const scrape = new Gauge({
    name: 'tapline_segments',
    help: 'Segments that this node has.',
    ...common,
  });

  async function fill(): Promise<void> {
    const { names, fabric } = await read();
    for (const gauge of [packets, bytes, errors, mtuErrors, policyDrops, drops]) gauge.reset();
    scrape.set(names.size);
    const labelled = new Set([...names.keys()].slice(0, mostSegments));
    for (const one of fabric.segments) {
      const segment = labelled.has(one.vni) ? (names.get(one.vni) ?? 'other') : 'other';
      packets.inc({ segment, direction: 'received' }, one.receivedPackets);
      packets.inc({ segment, direction: 'sent' }, one.sentPackets);
      bytes.inc({ segment, direction: 'received' }, one.receivedBytes);
      bytes.inc({ segment, direction: 'sent' }, one.sentBytes);
      errors.inc({ segment }, one.sendErrors);
      mtuErrors.inc({ segment, at: 'port' }, one.mtuErrors.port);
      mtuErrors.inc({ segment, at: 'way' }, one.mtuErrors.way);
      policyDrops.inc({ segment }, one.policyDrops);
    }
    for (const [reason, count] of Object.entries(fabric.drops)) drops.set({ reason }, count);
    drifts.set(fabric.driftMended);
    keyAge.reset();
    for (const [use, age] of [
      ['wireguard', fabric.keyAgeSeconds],
      ['ipsec', fabric.espKeyAgeSeconds],
      ['macsec', fabric.macsecKeyAgeSeconds],
    ] as const) {
      if (age !== undefined) keyAge.set({ use }, age);
    }
  }
}
