import { guardProgram } from '../compile/guard-program.ts';
import { nftSet, nftSets, nftTables } from '../compile/nft-tables.ts';
import type { NftTable } from '../state/nft-ruleset.ts';
import type { NodeState, VniRange } from '../state/node-state.ts';
import type { Operation } from '../plan/operation.ts';

/** A kernel on paper: the state after an operation, with what goes and comes by itself. */
export function simulateOperation(state: NodeState, operation: Operation): NodeState {
  switch (operation.kind) {
    case 'link-add':
      return {
        ...state,
        links: [...state.links, { ...operation.link, up: false, carrier: false }],
      };
    case 'link-set': {
      const { mcastSnooping: _snooping, vlanFiltering, ...change } = operation.change;
      return mapLink(state, operation.name, (link) => ({
        ...link,
        ...change,
        ...(vlanFiltering !== undefined &&
          link.bridge !== undefined && { bridge: { ...link.bridge, vlanFiltering } }),
      }));
    }
    case 'link-up':
      return mapLink(state, operation.name, (link) => ({ ...link, up: true, carrier: true }));
    case 'link-delete':
      return deleteLink(state, operation.name);
    case 'egress-set': {
      const { dev } = operation.filter;
      const others = state.egress.filter((filter) => filter.dev !== dev);
      return { ...state, egress: [...others, operation.filter] };
    }
    case 'underlay-guard-set': {
      const { guard, rule } = operation;
      const others = otherGuards(state, guard);
      const { dev, preference } = guard;
      const program = guardProgram(rule);
      return { ...state, guards: [...others, { dev, preference, program, rule }] };
    }
    case 'underlay-guard-delete':
      return { ...state, guards: otherGuards(state, operation.guard) };
    case 'tables-install':
      return { ...state, nft: { tables: nftTables(operation.vxlanPort) } };
    case 'tables-delete':
      return { ...state, nft: { tables: [] } };
    case 'elements-add':
    case 'elements-delete':
      return {
        ...state,
        nft: { tables: state.nft.tables.map((table) => changeElements(table, operation)) },
      };
    case 'fdb-add': {
      const { entry, bridged } = operation;
      const { dev, mac } = entry;
      const added = bridged === true ? [{ dev, mac, self: false }, entry] : [entry];
      return { ...state, fdb: [...state.fdb, ...added] };
    }
    case 'fdb-delete':
      return { ...state, fdb: without(state.fdb, operation.entry) };
    case 'neighbour-add':
      return { ...state, neighbours: [...state.neighbours, operation.neighbour] };
    case 'neighbour-delete':
      return { ...state, neighbours: without(state.neighbours, operation.neighbour) };
    case 'address-add':
      return { ...state, addresses: [...state.addresses, operation.address] };
    case 'address-delete':
      return { ...state, addresses: without(state.addresses, operation.address) };
    case 'route-add':
      return { ...state, routes: [...(state.routes ?? []), operation.route] };
    case 'route-delete':
      return { ...state, routes: without(state.routes ?? [], operation.route) };
    case 'vni-add':
      return { ...state, vnis: [...state.vnis, ...singles(operation.range)] };
    case 'vni-delete':
      return {
        ...state,
        vnis: singles(operation.range).reduce<NodeState['vnis']>(without, state.vnis),
      };
    case 'vlan-add': {
      const others = (state.portVlans ?? []).filter(
        ({ dev, vlan }) => dev !== operation.member.dev || vlan !== operation.member.vlan,
      );
      return { ...state, portVlans: [...others, operation.member] };
    }
    case 'vlan-delete':
      return { ...state, portVlans: without(state.portVlans ?? [], operation.member) };
    case 'tunnel-add':
      return { ...state, vlans: [...state.vlans, operation.tunnel] };
    case 'tunnel-delete':
      return { ...state, vlans: without(state.vlans, operation.tunnel) };
    case 'hook-add':
      return { ...state, hooks: [...(state.hooks ?? []), operation.dev] };
    case 'arrival-add':
      return { ...state, arrivals: [...(state.arrivals ?? []), operation.arrival] };
    case 'arrival-delete':
      return { ...state, arrivals: without(state.arrivals ?? [], operation.arrival) };
    case 'wireguard-set':
      return { ...state, wireguard: [operation.device] };
    case 'end-place':
    case 'filter-delete':
    case 'link-release':
      return state;
    default:
      // IPsec and MACsec: what they do to frames is tried in a real kernel.
      return state;
  }
}

function otherGuards(
  state: NodeState,
  place: { readonly dev: string; readonly preference: number },
): NonNullable<NodeState['guards']> {
  return (state.guards ?? []).filter(
    ({ dev, preference }) => dev !== place.dev || preference !== place.preference,
  );
}

/** A bridge takes along what its ports had in it. */
function deleteLink(state: NodeState, name: string): NodeState {
  const members = new Set(
    state.links.filter(({ master }) => master === name).map((link) => link.name),
  );
  const other = ({ dev }: { readonly dev: string }): boolean => dev !== name;
  return {
    ...state,
    links: state.links
      .filter((link) => link.name !== name)
      .map(({ master, bridgePort, ...link }) =>
        master === undefined || master === name
          ? link
          : { ...link, master, ...(bridgePort !== undefined && { bridgePort }) },
      ),
    fdb: state.fdb.filter(({ dev, self }) => dev !== name && (self || !members.has(dev))),
    neighbours: state.neighbours.filter(other),
    egress: state.egress.filter(other),
    vnis: state.vnis.filter(other),
    vlans: state.vlans.filter(({ dev }) => dev !== name && !members.has(dev)),
    portVlans: (state.portVlans ?? []).filter(({ dev }) => dev !== name && !members.has(dev)),
    arrivals: (state.arrivals ?? []).filter(other),
  };
}

function mapLink(
  state: NodeState,
  name: string,
  change: (link: NodeState['links'][number]) => NodeState['links'][number],
): NodeState {
  return { ...state, links: state.links.map((link) => (link.name === name ? change(link) : link)) };
}

function changeElements(
  table: NftTable,
  operation: Extract<Operation, { readonly kind: 'elements-add' | 'elements-delete' }>,
): NftTable {
  const declaration = nftSets.find(({ name }) => name === operation.set);
  if (declaration === undefined || declaration.table !== table.family) return table;
  const before = table.sets.find(({ name }) => name === operation.set)?.elements ?? [];
  const gone = new Set(operation.elements.map((element) => JSON.stringify(element)));
  const kept = before.filter((element) => !gone.has(JSON.stringify(element)));
  const after = operation.kind === 'elements-add' ? [...kept, ...operation.elements] : kept;
  const others = table.sets.filter(({ name }) => name !== operation.set);
  return { ...table, sets: [...others, nftSet(declaration, after)] };
}

function singles({ dev, first, last }: VniRange): readonly VniRange[] {
  return Array.from({ length: last - first + 1 }, (_, index) => ({
    dev,
    first: first + index,
    last: first + index,
  }));
}

function without<T>(list: readonly T[], entry: T): readonly T[] {
  const text = JSON.stringify(entry);
  return list.filter((other) => JSON.stringify(other) !== text);
}
