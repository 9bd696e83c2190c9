import { isSegmentInterface } from '../names/interface-names.ts';
import type { NodeState } from '../state/node-state.ts';

/** VNIs of other people's VXLAN devices on the same UDP port, and the devices' names. */
export function takenVnis(
  { links, vnis }: Pick<NodeState, 'links' | 'vnis'>,
  vxlanPort: number,
): ReadonlyMap<number, string> {
  const others = new Map(
    links.flatMap(({ name, vxlan }) =>
      vxlan?.port === vxlanPort && !isSegmentInterface(name) ? [[name, vxlan] as const] : [],
    ),
  );
  const taken = new Map<number, string>();
  for (const [name, { vni }] of others) if (vni !== undefined) taken.set(vni, name);
  for (const { dev, first, last } of vnis) {
    if (!others.has(dev)) continue;
    for (let vni = first; vni <= last; vni += 1) taken.set(vni, dev);
  }
  return taken;
}
