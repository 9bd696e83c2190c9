import { isSegmentInterface, wireguardName } from '../names/interface-names.ts';
import type { LinkState, NodeState } from '../state/node-state.ts';
import type { LinkChange, Operation } from './operation.ts';

export interface LinkPlan {
  readonly removals: readonly Operation[];
  readonly additions: readonly Operation[];
  /** Last of all: by then filters, tables and entries are there. */
  readonly ups: readonly Operation[];
  readonly places: readonly Operation[];
  /** Devices whose entries and filters go with them. */
  readonly gone: ReadonlySet<string>;
  /** Devices that join a bridge anew, so that their entries in it are gone. */
  readonly joined: ReadonlySet<string>;
}

export function planLinks(desired: NodeState, observed: NodeState): LinkPlan {
  const wanted = new Map(desired.links.map((link) => [link.name, link]));
  const bridges = new Set(
    [...desired.links, ...observed.links].flatMap(({ name, kind }) =>
      kind === 'bridge' && isSegmentInterface(name) ? [name] : [],
    ),
  );
  const ours = observed.links.filter(({ name }) => isOurs(name));
  const gone = new Set(
    ours
      .filter((link) => {
        const want = wanted.get(link.name);
        return want === undefined || mustBeNew(want, link);
      })
      .map(({ name }) => name),
  );
  const strangers = observed.links.filter(
    ({ name, master }) => !isOurs(name) && master !== undefined && bridges.has(master),
  );
  const kept = new Map(ours.filter(({ name }) => !gone.has(name)).map((link) => [link.name, link]));
  const ends = new Map((desired.ends ?? []).map((end) => [end.port, end]));
  const additions: Operation[] = [];
  const places: Operation[] = [];
  const ups: Operation[] = [];
  const joined = new Set<string>();
  for (const link of desired.links.toSorted((a, b) => rank(a.name) - rank(b.name))) {
    const found = kept.get(link.name);
    const end = ends.get(link.name);
    if (found === undefined) {
      additions.push({ kind: 'link-add', link, ...(end !== undefined && { end }) });
    } else {
      const change = linkChange(link, found, { bridgeGone: gone.has(found.master ?? '') });
      if (change.master !== undefined) joined.add(link.name);
      if (Object.keys(change).length > 0) {
        additions.push({ kind: 'link-set', name: link.name, change });
      }
    }
    const resized = found !== undefined && found.mtu !== link.mtu;
    if (end !== undefined && (found?.up !== true || found.carrier === false || resized)) {
      places.push({ kind: 'end-place', end });
    }
    if (found?.up !== true) ups.push({ kind: 'link-up', name: link.name });
  }
  return {
    removals: [
      ...strangers.map(({ name }): Operation => ({ kind: 'link-release', name })),
      ...[...gone]
        .toSorted((a, b) => rank(b) - rank(a))
        .map((name): Operation => ({ kind: 'link-delete', name })),
    ],
    additions,
    ups,
    // One batch for each namespace.
    places: places.toSorted(byPlace),
    gone,
    joined,
  };
}

function byPlace(a: Operation, b: Operation): number {
  const [left, right] = [placeOf(a), placeOf(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function placeOf(operation: Operation): string {
  const place = operation.kind === 'end-place' ? operation.end.place : undefined;
  return place?.kind === 'namespace' ? place.path : '';
}

function isOurs(name: string): boolean {
  return isSegmentInterface(name) || name === wireguardName;
}

/** Bridges before what is in them, ports last; removed the other way round. */
function rank(name: string): number {
  if (name === wireguardName) return 0;
  if (name.startsWith('tb')) return 1;
  return name.startsWith('tv') ? 2 : 3;
}

/** What cannot be changed in a device that exists. */
function mustBeNew(want: LinkState, found: LinkState): boolean {
  if (want.kind !== found.kind) return true;
  if (want.vxlan === undefined) return false;
  const { local, ...fixed } = want.vxlan;
  const other = found.vxlan;
  return (
    other === undefined ||
    other.local !== local ||
    want.lower !== found.lower ||
    Object.entries(fixed).some(([key, value]) => other[key as keyof typeof fixed] !== value)
  );
}

function linkChange(
  want: LinkState,
  found: LinkState,
  options: { readonly bridgeGone: boolean },
): LinkChange {
  const moved = want.master !== undefined && (want.master !== found.master || options.bridgeGone);
  const flags = want.bridgePort;
  const others = found.bridgePort;
  const flagsDiffer =
    flags !== undefined &&
    (moved ||
      others === undefined ||
      Object.entries(flags).some(([key, value]) => others[key as keyof typeof flags] !== value));
  const { mcastSnooping: snooping, vlanFiltering } = want.bridge ?? {};
  // One whose ports differ has the least of theirs, and only the node's own frames would feel it.
  const sized = vlanFiltering !== true && want.mtu !== found.mtu;
  return {
    ...(sized && { mtu: want.mtu }),
    ...(want.mac !== '' && want.mac !== found.mac && { mac: want.mac }),
    ...(moved && { master: want.master }),
    ...(snooping !== undefined &&
      snooping !== found.bridge?.mcastSnooping && { mcastSnooping: snooping }),
    ...(vlanFiltering !== undefined &&
      vlanFiltering !== found.bridge?.vlanFiltering && { vlanFiltering }),
    ...(flagsDiffer && { bridgePort: flags }),
  };
}
