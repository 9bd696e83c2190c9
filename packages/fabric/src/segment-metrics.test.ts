import { expect, test } from 'vitest';
import { segmentMetrics } from './segment-metrics.ts';

const none = { statistics: '', vniCounters: '', counters: '', vlans: '' };

const rules = (
  elements: Readonly<Record<string, readonly (readonly [string, number, number])[]>>,
) =>
  JSON.stringify({
    nftables: Object.entries(elements).map(([name, list]) => ({
      set: {
        family: 'bridge',
        name,
        table: 'tapline',
        type: ['ifname', 'mark'],
        elem: list.map(([device, mark, packets]) => ({
          elem: { val: { concat: [device, mark] }, counter: { packets, bytes: packets * 100 } },
        })),
      },
    })),
  });

test('a segment with a device of its own: what the device and its ports count, and the rules', () => {
  const stats = (rx: object, tx: object) => ({ stats64: { rx, tx } });
  const links = [
    {
      ifname: 'tv7000',
      ...stats(
        { packets: 5, bytes: 500, dropped: 1 },
        // The kernel counts what has no route among the errors, too.
        { packets: 7, bytes: 700, dropped: 2, errors: 3, carrier_errors: 3 },
      ),
    },
    // 7000 to the base 36.
    { ifname: 'tp5eg.1.1', ...stats({ packets: 9, dropped: 4 }, { packets: 9, dropped: 8 }) },
    { ifname: 'eth0', ...stats({ packets: 1000, dropped: 1000 }, { packets: 1000 }) },
  ];
  const counters = rules({
    policy_drops: [
      ['tp5eg.1.1', 2, 10],
      ['tv7000', 16, 20],
      ['eth0', 0, 1000],
    ],
    too_big: [['tv7000', 2, 6]],
    allow: [['tp5eg.1.1', 2, 1000]],
  });
  expect(segmentMetrics({ ...none, statistics: JSON.stringify(links), counters })).toEqual([
    {
      vni: 7000,
      receivedPackets: 5,
      receivedBytes: 500,
      sentPackets: 7,
      sentBytes: 700,
      sendErrors: 3,
      droppedPackets: 3,
      policyDrops: 30,
      mtuErrors: { port: 4, way: 6 },
    },
  ]);
});

test('segments that are VLANs of one bridge: by VNI, and by the VLAN in a mark', () => {
  const stats = { rx_bytes: 500, rx_pkts: 5, rx_drops: 1, rx_errors: 0 };
  const sent = { tx_bytes: 700, tx_pkts: 7, tx_drops: 2, tx_errors: 3 };
  const vniCounters = [
    { ifname: 'tv0000', vnis: [7000, 7001].map((vni) => ({ vni, stats: { ...stats, ...sent } })) },
    { ifname: 'vx1', vnis: [{ vni: 7001, stats: { ...stats, ...sent } }] },
  ];
  const vlans = [
    {
      ifname: 'tv0000',
      tunnels: [
        { vlan: 1, tunid: 7000 },
        { vlan: 2, tunid: 7001 },
      ],
    },
  ];
  const counters = rules({
    policy_drops: [
      ['tv0000', 0x10002, 3],
      // A mark of no VLAN.
      ['tv0000', 0x2, 1000],
    ],
    too_big: [['tv0000', 0x20010, 4]],
  });
  const found = segmentMetrics({
    ...none,
    vniCounters: JSON.stringify(vniCounters),
    vlans: JSON.stringify(vlans),
    counters,
  });
  expect(found).toEqual([
    expect.objectContaining({ vni: 7000, receivedPackets: 5, sentBytes: 700, policyDrops: 3 }),
    expect.objectContaining({ vni: 7001, sendErrors: 3, mtuErrors: { port: 0, way: 4 } }),
  ]);
});
