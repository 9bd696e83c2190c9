import type { FabricMetrics } from '@tapline/fabric';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createSegmentGauges } from './segment-gauges.ts';

const counts = {
  receivedPackets: 5,
  receivedBytes: 500,
  sentPackets: 7,
  sentBytes: 700,
  sendErrors: 3,
  droppedPackets: 1,
  policyDrops: 30,
  mtuErrors: { port: 4, way: 6 },
};

const fabric: FabricMetrics = {
  segments: [
    { vni: 7000, ...counts },
    { vni: 7001, ...counts, policyDrops: 1 },
  ],
  drops: { policy: 31 },
  handshakeAgeSeconds: {},
  keyAgeSeconds: 60,
  driftMended: 2,
};

test('counters are by segment, and read anew whenever somebody asks', async () => {
  const registry = new Registry();
  let names = new Map([
    [7000, 'news'],
    [7001, 'sports'],
  ]);
  createSegmentGauges(registry, async () => await Promise.resolve({ names, fabric }));
  const lines = (await registry.metrics()).split('\n').filter((line) => !line.startsWith('#'));
  expect(lines).toEqual(
    expect.arrayContaining([
      'tapline_segment_packets_total{segment="news",direction="sent"} 7',
      'tapline_segment_bytes_total{segment="sports",direction="received"} 500',
      'tapline_segment_send_errors_total{segment="news"} 3',
      'tapline_segment_mtu_errors_total{segment="news",at="port"} 4',
      'tapline_segment_mtu_errors_total{segment="news",at="way"} 6',
      'tapline_segment_policy_drops_total{segment="news"} 30',
      'tapline_segment_policy_drops_total{segment="sports"} 1',
      'tapline_segment_drops_total{reason="policy"} 31',
      'tapline_segment_key_age_seconds{use="wireguard"} 60',
      'tapline_segment_drifts_total 2',
      'tapline_segments 2',
    ]),
  );
  // One that is gone has no name: what is left of it is with the rest.
  names = new Map([[7000, 'news']]);
  const later = await registry.metrics();
  expect(later).toContain('tapline_segment_policy_drops_total{segment="other"} 1');
  expect(later).not.toContain('sports');
});
