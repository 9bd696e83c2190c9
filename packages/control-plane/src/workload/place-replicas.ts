/** A node, as far as placement cares. */
export interface PlacementNode {
  readonly name: string;
  /** Its value of the label to spread over. */
  readonly zone: string;
  /** Lost is away for a moment; down for longer than the workload waits. */
  readonly state: 'up' | 'lost' | 'down';
  /** Whether the workload may be there: the selector, and that nobody drains it. */
  readonly wanted: boolean;
  /** Why nothing new may come, where what is there may stay: one phrase for people. */
  readonly blocked?: string;
  readonly freeCpus: number;
  readonly freeMemoryBytes: number;
  /** Other workloads that are there. */
  readonly others: number;
}

export interface CurrentPlacement {
  readonly node: string;
  readonly epoch: number;
  readonly ready: boolean;
}

export interface PlannedPlacement {
  readonly node: string;
  readonly epoch: number;
  /** Leaving: runs until enough others are ready. Waiting: its node is away, and nobody has room. */
  readonly phase: 'active' | 'leaving' | 'waiting';
  readonly isNew: boolean;
}

export interface PlacementPlan {
  readonly placements: readonly PlannedPlacement[];
  /** Of the newest placement ever. */
  readonly epoch: number;
  /** Replicas without a node that is there. */
  readonly missing: number;
  /** Why nodes could not take what is missing, with how many. */
  readonly refusals: ReadonlyMap<string, number>;
}

/**
 * Puts replicas on nodes. What runs stays where it is; what a drained node has leaves it once as
 * many others are ready as there have to be; what a dead node had goes where there is room, under a
 * higher epoch. A node has a replica at most once. Pure: of the same input the same plan.
 */
export function placeReplicas(request: {
  readonly replicas: number;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly nodes: readonly PlacementNode[];
  readonly current: readonly CurrentPlacement[];
  readonly epoch: number;
}): PlacementPlan {
  const { replicas, current } = request;
  const nodes = new Map(request.nodes.map((node) => [node.name, node]));
  const stateOf = ({ node }: CurrentPlacement): PlacementNode['state'] =>
    nodes.get(node)?.state ?? 'down';
  const isWanted = ({ node }: CurrentPlacement): boolean => nodes.get(node)?.wanted === true;
  const present = current.filter((one) => stateOf(one) !== 'down');
  const down = current.filter((one) => stateOf(one) === 'down');
  const stay = keepSome(present.filter(isWanted), replicas, nodes);
  const staying = new Set(stay.map(({ node }) => node));

  const zones = new Map<string, number>();
  for (const { node } of stay) countZone(zones, nodes.get(node)?.zone);
  const taken = new Set(current.map(({ node }) => node));
  const { feasible, refusals } = sift(request, taken);
  let epoch = Math.max(request.epoch, ...current.map((one) => one.epoch), 0);
  const added: PlannedPlacement[] = [];
  while (stay.length + added.length < replicas && feasible.length > 0) {
    const best = feasible.reduce((left, right) => (isBetter(right, left, zones) ? right : left));
    feasible.splice(feasible.indexOf(best), 1);
    countZone(zones, best.zone);
    epoch += 1;
    added.push({ node: best.name, epoch, phase: 'active', isNew: true });
  }

  const missing = Math.max(0, replicas - stay.length - added.length);
  const waiting = newestFirst(down).slice(0, missing);
  // Nobody takes away what serves before something else does.
  const ready = stay.filter((one) => one.ready).length;
  const leaving = present.filter((one) => !staying.has(one.node) && !isWanted(one));
  const kept = leaving
    .toSorted((a, b) => Number(b.ready) - Number(a.ready) || a.epoch - b.epoch)
    .slice(0, Math.max(0, replicas - ready));
  const old = (one: CurrentPlacement, phase: PlannedPlacement['phase']): PlannedPlacement => ({
    node: one.node,
    epoch: one.epoch,
    phase,
    isNew: false,
  });
  const placements = [
    ...stay.map((one) => old(one, 'active')),
    ...added,
    ...kept.map((one) => old(one, 'leaving')),
    ...waiting.map((one) => old(one, 'waiting')),
  ];
  return {
    placements: placements.toSorted((a, b) => a.epoch - b.epoch),
    epoch,
    missing,
    refusals: missing === 0 ? new Map() : refusals,
  };
}

/** Those that stay when there are too many: taken away from where most are, the newest first. */
function keepSome(
  present: readonly CurrentPlacement[],
  replicas: number,
  nodes: ReadonlyMap<string, PlacementNode>,
): readonly CurrentPlacement[] {
  const kept = [...present];
  while (kept.length > replicas) {
    const zones = new Map<string, number>();
    for (const { node } of kept) countZone(zones, nodes.get(node)?.zone);
    const crowd = ({ node }: CurrentPlacement): number =>
      zones.get(nodes.get(node)?.zone ?? '') ?? 0;
    const worst = kept.reduce((left, right) => {
      const difference =
        Number(left.ready) - Number(right.ready) ||
        crowd(right) - crowd(left) ||
        right.epoch - left.epoch;
      return difference > 0 ? right : left;
    });
    kept.splice(kept.indexOf(worst), 1);
  }
  return kept;
}

function sift(
  request: Parameters<typeof placeReplicas>[0],
  taken: ReadonlySet<string>,
): { readonly feasible: PlacementNode[]; readonly refusals: ReadonlyMap<string, number> } {
  const feasible: PlacementNode[] = [];
  const refusals = new Map<string, number>();
  for (const node of request.nodes) {
    if (taken.has(node.name)) continue;
    const why = refusalOf(node, request);
    if (why === undefined) feasible.push(node);
    else refusals.set(why, (refusals.get(why) ?? 0) + 1);
  }
  return { feasible, refusals };
}

function refusalOf(
  node: PlacementNode,
  { cpus, memoryBytes }: { readonly cpus: number; readonly memoryBytes: number },
): string | undefined {
  if (!node.wanted) return 'not selected or drained';
  if (node.state !== 'up') return 'not connected';
  if (node.blocked !== undefined) return node.blocked;
  // Sums of decimals are a hair off.
  if (node.freeCpus + 1e-9 < cpus) return 'too few cores free';
  return node.freeMemoryBytes < memoryBytes ? 'too little memory free' : undefined;
}

/** Fewest replicas in the zone, then fewest other workloads, then most room; then by name. */
function isBetter(
  one: PlacementNode,
  other: PlacementNode,
  zones: ReadonlyMap<string, number>,
): boolean {
  const difference =
    (zones.get(one.zone) ?? 0) - (zones.get(other.zone) ?? 0) ||
    one.others - other.others ||
    other.freeCpus - one.freeCpus ||
    other.freeMemoryBytes - one.freeMemoryBytes;
  return difference === 0 ? one.name < other.name : difference < 0;
}

function newestFirst(placements: readonly CurrentPlacement[]): readonly CurrentPlacement[] {
  return placements.toSorted((a, b) => b.epoch - a.epoch);
}

function countZone(zones: Map<string, number>, zone: string | undefined): void {
  if (zone !== undefined) zones.set(zone, (zones.get(zone) ?? 0) + 1);
}
