import { nftTableName } from '../compile/nft-tables.ts';
import { ipsecTableName } from '../encryption/ipsec-guard.ts';
import { isMacsecGuard, linkTableName } from '../encryption/macsec-guard.ts';
import { isOurRequest } from '../encryption/ipsec-numbers.ts';
import { isSegmentInterface, macsecName, wireguardName } from '../names/interface-names.ts';
import type { NodeState, PortEnd } from '../state/node-state.ts';

/**
 * Of a state that was found, what is ours, so that it can be gone back to. `ends` are those that the
 * node had before: they are not found, and a port without one cannot be made again.
 */
export function ownState(
  state: NodeState,
  { ends }: { readonly ends: readonly PortEnd[] },
): NodeState {
  const known = new Set(ends.map(({ port }) => port));
  const links = state.links.filter(
    ({ name, kind }) => isOurs(name) && (kind !== 'veth' || known.has(name)),
  );
  const names = new Set(links.map(({ name }) => name));
  const ours = ({ dev }: { readonly dev: string }): boolean => names.has(dev);
  return {
    ...state,
    links,
    fdb: state.fdb.filter(ours),
    neighbours: state.neighbours.filter(ours),
    egress: state.egress.filter(ours),
    foreignFilters: [],
    nft: {
      tables: state.nft.tables.filter(
        (table) =>
          table.name === nftTableName ||
          table.name === ipsecTableName ||
          table.name === linkTableName ||
          isMacsecGuard(table),
      ),
    },
    addresses: state.addresses.filter(({ dev }) => dev === wireguardName || dev === macsecName),
    xfrm: {
      associations: state.xfrm.associations.filter(({ requestId }) => isOurRequest(requestId)),
      policies: state.xfrm.policies,
    },
    macsec: state.macsec
      .filter(({ dev }) => dev === macsecName)
      .map((device) => {
        const mtu = state.links.find(({ name }) => name === macsecName)?.mtu;
        return mtu === undefined ? device : { ...device, mtu };
      }),
    vnis: state.vnis.filter(ours),
    vlans: state.vlans.filter(ours),
    portVlans: (state.portVlans ?? []).filter(ours),
    arrivals: (state.arrivals ?? []).filter(ours),
    ends: ends.filter(({ port }) => names.has(port)),
  };
}

function isOurs(name: string): boolean {
  return isSegmentInterface(name) || name === wireguardName;
}
