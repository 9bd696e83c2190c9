import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runGuard } from '../testing/run-guard.ts';
import { guardProgram } from './guard-program.ts';
import { mostGuardedRanges, underlayGuard } from './underlay-guard.ts';

const rule = {
  ethernet: true,
  vxlanPort: 4789,
  vnis: [[5000, 5001] as const, [7000, 7000] as const],
};
const program = guardProgram(rule);

function udp(vni: number, port = 4789): Buffer {
  const bytes = Buffer.alloc(8 + 8 + 20);
  bytes.writeUInt16BE(port, 2);
  bytes.writeUInt16BE(bytes.length, 4);
  bytes.writeUIntBE(vni, 12, 3);
  return bytes;
}

interface Four {
  readonly protocol?: number;
  readonly options?: number;
  readonly fragment?: number;
  readonly padding?: Buffer;
}

function ipv4(
  payload: Buffer,
  { protocol = 17, options = 0, fragment = 0, padding }: Four = {},
): Buffer {
  const head = Buffer.alloc(14 + 20 + options);
  head[14] = 0x40 | ((20 + options) / 4);
  head.writeUInt16BE(20 + options + payload.length, 16);
  head.writeUInt16BE(fragment, 20);
  head[23] = protocol;
  return Buffer.concat([head, payload, padding ?? Buffer.alloc(0)]);
}

function ipv6(next: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(14 + 40);
  head.writeUInt16BE(payload.length, 18);
  head[20] = next;
  return Buffer.concat([head, payload]);
}

function behind(next: number, fragment = 0): Buffer {
  const bytes = Buffer.alloc(8);
  bytes[0] = next;
  bytes.writeUInt16BE(fragment, 2);
  return bytes;
}

const moreFragments = 0x2000;

test.each<[string, number, Buffer, boolean]>([
  ['a VNI of the rule', 0x0800, ipv4(udp(5000)), false],
  ['the last of a range', 0x0800, ipv4(udp(5001)), false],
  ['the last of all', 0x0800, ipv4(udp(7000)), false],
  ['a VNI below', 0x0800, ipv4(udp(4999)), true],
  ['a VNI between', 0x0800, ipv4(udp(5002)), true],
  ['a VNI above', 0x0800, ipv4(udp(7001)), true],
  ['another port', 0x0800, ipv4(udp(5000, 4790)), true],
  ['TCP', 0x0800, ipv4(udp(5000), { protocol: 6 }), true],
  ['behind options of IP', 0x0800, ipv4(udp(5000), { options: 40 }), false],
  ['a first fragment', 0x0800, ipv4(udp(5000), { fragment: moreFragments }), false],
  ['a later fragment', 0x0800, ipv4(udp(5000), { fragment: 5 }), true],
  [
    'a first fragment whose VNI is padding',
    0x0800,
    ipv4(udp(1).subarray(0, 8), { fragment: moreFragments, padding: Buffer.alloc(30) }),
    false,
  ],
  ['too short for a port', 0x0800, ipv4(Buffer.alloc(2)), true],
  ['another protocol of Ethernet', 0x0806, ipv4(udp(5000)), true],
  ['IPv6', 0x86dd, ipv6(17, udp(5000)), false],
  ['IPv6, a VNI of nobody', 0x86dd, ipv6(17, udp(6000)), true],
  ['IPv6, another port', 0x86dd, ipv6(17, udp(5000, 53)), true],
  ['IPv6, TCP', 0x86dd, ipv6(6, udp(5000)), true],
  ['IPv6, a first fragment', 0x86dd, ipv6(44, Buffer.concat([behind(17, 1), udp(5000)])), false],
  ['IPv6, of another VNI', 0x86dd, ipv6(44, Buffer.concat([behind(17, 1), udp(6000)])), true],
  ['IPv6, a later fragment', 0x86dd, ipv6(44, Buffer.concat([behind(17, 0x21), udp(5000)])), true],
  [
    'IPv6, a first fragment that ends early',
    0x86dd,
    ipv6(44, Buffer.concat([behind(17, 1), udp(6000).subarray(0, 8), Buffer.alloc(0)])),
    false,
  ],
  ['IPv6, UDP behind options', 0x86dd, ipv6(60, Buffer.concat([behind(17), udp(5000)])), false],
  [
    'IPv6, options twice',
    0x86dd,
    ipv6(0, Buffer.concat([behind(60), behind(17), udp(5000)])),
    false,
  ],
  ['IPv6, options before a fragment', 0x86dd, ipv6(0, Buffer.concat([behind(44), udp(1)])), false],
  ['IPv6, a listener report', 0x86dd, ipv6(0, Buffer.concat([behind(58), udp(5000)])), true],
])('%s', (_name, type, packet, passes) => {
  expect(runGuard(program, packet, type)).toBe(passes);
  // A device without Ethernet headers, such as a tunnel's.
  const bare = guardProgram({ ...rule, ethernet: false });
  expect(runGuard(bare, packet.subarray(14), type)).toBe(passes);
});

test('drops exactly the VNIs of encrypted segments, however many ranges they make', () => {
  const vnis = fc.uniqueArray(fc.integer({ min: 4096, max: 6000 }), {
    minLength: 1,
    maxLength: 900,
  });
  fc.assert(
    fc.property(vnis, fc.integer({ min: 4096, max: 6000 }), (guarded, probe) => {
      const { program: made } = guardOf(guarded, []) ?? { program: [] };
      expect(made.length).toBeLessThanOrEqual(4096);
      for (const vni of [probe, guarded[0] ?? 0, guarded.at(-1) ?? 0]) {
        expect(runGuard(made, ipv4(udp(vni)), 0x0800)).toBe(!guarded.includes(vni));
      }
    }),
    { numRuns: 40 },
  );
});

test('too many ranges go together where no VNI of somebody else is between', () => {
  const every = Array.from({ length: 2 * mostGuardedRanges }, (_, index) => 5000 + 2 * index);
  const guard = guardOf(every, [5101, 6001]);
  expect(guard?.rule?.vnis).toEqual([
    [5000, 5100],
    [5102, 6000],
    [6002, 5000 + 4 * mostGuardedRanges - 2],
  ]);
});

test('without an encrypted segment there is no filter', () => {
  expect(guardOf([], [5000])).toBeUndefined();
});

function guardOf(
  encrypted: readonly number[],
  open: readonly number[],
): ReturnType<typeof underlayGuard> {
  const segment = (vni: number, underlay: 'none' | 'wireguard') => ({
    name: `s${vni}`,
    vni,
    subnet: '10.0.0.0/24',
    mtu: 1300,
    encryption: { underlay, link: 'none' as const },
    communities: {},
    ports: [],
  });
  return underlayGuard(
    { name: 'eth0', ethernet: true, preference: 1 },
    {
      intent: { vxlanPort: 4789 },
      segments: [
        ...encrypted.map((vni) => segment(vni, 'wireguard')),
        ...open.map((vni) => segment(vni, 'none')),
      ],
      taken: new Map(),
    },
  );
}
