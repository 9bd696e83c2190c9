import fc from 'fast-check';
import type { PortRole } from '../intent/port-role.ts';
import type { FabricIntent, PortIntent } from '../intent/segment-intent.ts';

const role: fc.Arbitrary<PortRole> = fc.oneof(
  fc.constant<PortRole>({ kind: 'promiscuous' }),
  fc.constant<PortRole>({ kind: 'isolated' }),
  fc.constantFrom('a', 'b').map((community): PortRole => ({ kind: 'community', community })),
);

/** A fabric of up to four nodes and two segments, with ports of every role anywhere. */
export const arbitraryFabric: fc.Arbitrary<FabricIntent> = fc
  .record({
    nodes: fc.integer({ min: 1, max: 4 }),
    segments: fc.array(
      fc.array(
        fc.record({ role, node: fc.nat({ max: 3 }), index: fc.integer({ min: 1, max: 250 }) }),
        {
          minLength: 1,
          maxLength: 8,
        },
      ),
      { minLength: 1, maxLength: 2 },
    ),
  })
  .map(({ nodes, segments }) => ({
    vxlanPort: 4789,
    nodes: Array.from({ length: nodes }, (_, number) => ({
      name: `n${number}`,
      vtep: `10.99.0.${number + 1}`,
      underlay: `192.0.2.${number + 1}`,
    })),
    segments: segments.map((ports, number) => ({
      name: `s${number}`,
      vni: 7000 + number,
      subnet: `10.${number}.0.0/24`,
      mtu: 1450,
      encryption: { underlay: 'none', link: 'none' },
      communities: { a: 16, b: 17 },
      ports: [...new Map(ports.map((port) => [port.index, port])).values()].map(
        (port): PortIntent => ({
          node: `n${port.node % nodes}`,
          index: port.index,
          incarnation: 1,
          owner: `w${port.index}`,
          addresses: [
            `10.${number}.0.${port.index}`,
            `fd00:${number + 1}::${port.index.toString(16)}`,
          ],
          role: port.role,
          attach: { kind: 'host' },
        }),
      ),
    })),
  }));
