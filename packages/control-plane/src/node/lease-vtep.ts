import { TaplineError } from '@tapline/base';
import type { AllocationSpec, Node } from '@tapline/resources';
import { formatSubnet, parseSubnet, SubnetSpace } from '@tapline/segments';

/**
 * An address inside the encrypted underlay for a node that has none: the lowest that no node has in
 * any way. The same spec where it has one. Throws `vteps_exhausted`.
 */
export function leaseVtep(
  spec: AllocationSpec,
  about: { readonly node: string; readonly prefix: string; readonly nodes: readonly Node[] },
): AllocationSpec {
  const { node, prefix, nodes } = about;
  const { vteps = [] } = spec;
  if (vteps.some((one) => one.node === node)) return spec;
  const space = new SubnetSpace(parseSubnet(prefix));
  const bits = space.prefix.family === 4 ? 32 : 128;
  const host = (address: string): void => space.cover(parseSubnet(`${address}/${bits}`));
  // The first one is nobody's: some take it for the network's.
  host(prefix.slice(0, prefix.indexOf('/')));
  for (const { address } of vteps) host(address);
  for (const { status } of nodes) {
    for (const foreign of status?.foreign?.prefixes ?? []) space.cover(parseSubnet(foreign.prefix));
  }
  const found = space.take(bits);
  if (found === undefined) {
    throw new TaplineError(
      'vteps_exhausted',
      `no address of ${prefix} is left for the VTEP of node ${node}: ${vteps.length} nodes have one, and networks of nodes are in it`,
      { hint: 'give the control plane another prefix with TAPLINE_VTEP_PREFIX' },
    );
  }
  const address = formatSubnet(found).replace(/\/\d+$/, '');
  return { ...spec, vteps: [...vteps, { node, address }] };
}
