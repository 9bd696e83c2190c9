import fc from 'fast-check';
import type { FabricIntent, SegmentIntent } from '../intent/segment-intent.ts';
import { arbitraryFabric } from './arbitrary-fabric.ts';

/** A fabric with each of its segments again, under other names, numbers, indexes and on other nodes. */
export const alikeFabric: fc.Arbitrary<FabricIntent> = fc
  .record({ fabric: arbitraryFabric, turn: fc.nat(3) })
  .map(({ fabric, turn }) => ({
    ...fabric,
    segments: fabric.segments.flatMap((segment, at) => [
      segment,
      again(segment, fabric, { vni: 8000 + at, turn: 0 }),
      again(segment, fabric, { vni: 9000 + at, turn }),
    ]),
  }));

function again(
  segment: SegmentIntent,
  { nodes }: FabricIntent,
  { vni, turn }: { readonly vni: number; readonly turn: number },
): SegmentIntent {
  const names = nodes.map(({ name }) => name);
  return {
    ...segment,
    name: `s${vni}`,
    vni,
    subnet: segment.subnet.replace(/^10\./, `${vni % 89}.`),
    ports: segment.ports.map((port) => ({
      ...port,
      node: names[(names.indexOf(port.node) + turn) % names.length] ?? port.node,
      index: port.index + 300,
      addresses: port.addresses.map((address) =>
        address.includes(':')
          ? address.replace(/^fd00:/, `fd${vni % 89}:`)
          : address.replace(/^10\./, `${vni % 89}.`),
      ),
    })),
  };
}
