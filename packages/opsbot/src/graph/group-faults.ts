import type { OpsTarget } from '@tapline/resources';
import type { Fleet } from '../fleet.ts';
import { ancestorsOf, graphKey, type GraphNode } from './dependencies.ts';

/** Objects in trouble that have one probable cause. */
export interface FaultGroup {
  readonly cause: GraphNode;
  readonly targets: readonly OpsTarget[];
}

/** What has no fault itself is a cause where at least this share of what needs it has one. */
const shareOfDependents = 0.5;

interface Candidate {
  readonly node: GraphNode;
  readonly depth: number;
  readonly covers: Set<string>;
}

/**
 * Groups objects by what explains the most of them: one that has a fault itself, or one that two or
 * more need, of which at least half are in trouble. Of equals the nearest counts. Pure, and made anew
 * from what stands, so it does not matter in which order things came.
 */
export function groupFaults(fleet: Fleet, targets: readonly OpsTarget[]): readonly FaultGroup[] {
  const faulty = new Map(targets.map((target) => [graphKey(target), target]));
  const candidates = new Map<string, Candidate>();
  for (const [key, target] of faulty) {
    for (const [depth, node] of ancestorsOf(fleet, target).entries()) {
      const at = graphKey(node);
      const known = candidates.get(at);
      if (known === undefined) candidates.set(at, { node, depth, covers: new Set([key]) });
      else known.covers.add(key);
    }
  }
  const shared = [...candidates].filter(
    ([key, { covers }]) => !faulty.has(key) && covers.size >= 2,
  );
  const dependents = countDependents(fleet, new Set(shared.map(([key]) => key)));
  const able = [...candidates]
    .filter(
      ([key, { covers }]) =>
        covers.size >= 2 &&
        (faulty.has(key) || covers.size >= shareOfDependents * (dependents.get(key) ?? 0)),
    )
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  const left = new Set(faulty.keys());
  const groups: FaultGroup[] = [];
  while (left.size > 0) {
    const best = able
      .map(([key, candidate]) => ({
        key,
        candidate,
        covers: [...candidate.covers].filter((one) => left.has(one)),
      }))
      .filter(({ key, covers }) => covers.length >= 2 || (covers.length === 1 && faulty.has(key)))
      .reduce<Best | undefined>(
        (a, b) => (a === undefined || isBetter(b, a, faulty) ? b : a),
        undefined,
      );
    if (best === undefined) break;
    groups.push({
      cause: best.candidate.node,
      targets: best.covers.toSorted().flatMap((one) => faulty.get(one) ?? []),
    });
    for (const one of best.covers) left.delete(one);
  }
  // Nothing else explains the rest.
  for (const key of [...left].toSorted()) {
    const target = faulty.get(key);
    if (target !== undefined) groups.push({ cause: target, targets: [target] });
  }
  return groups;
}

interface Best {
  readonly key: string;
  readonly candidate: Candidate;
  readonly covers: readonly string[];
}

function isBetter(one: Best, than: Best, faulty: ReadonlyMap<string, unknown>): boolean {
  if (one.covers.length !== than.covers.length) return one.covers.length > than.covers.length;
  const [isFaulty, wasFaulty] = [faulty.has(one.key), faulty.has(than.key)];
  if (isFaulty !== wasFaulty) return isFaulty;
  // Of two that both have a fault the deeper one is the cause, of two that have none the nearer.
  if (one.candidate.depth !== than.candidate.depth) {
    return isFaulty
      ? one.candidate.depth > than.candidate.depth
      : one.candidate.depth < than.candidate.depth;
  }
  return one.key < than.key;
}

/** How many devices, nodes, workloads, … need each of these, of the kinds that can have faults. */
function countDependents(fleet: Fleet, wanted: ReadonlySet<string>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  if (wanted.size === 0) return counts;
  const kinds: readonly (readonly [OpsTarget['kind'], Iterable<string>])[] = [
    ['Device', fleet.devices.keys()],
    ['Attachment', fleet.attachments.keys()],
    ['Workload', fleet.workloads.keys()],
    ['Channel', fleet.channels.keys()],
    ['Install', fleet.installs.keys()],
  ];
  for (const [kind, names] of kinds) {
    for (const name of names) {
      for (const node of ancestorsOf(fleet, { kind, name }).slice(1)) {
        const key = graphKey(node);
        if (wanted.has(key)) counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
  }
  // A zone's own measure is its devices: programs on them are many, and say the same.
  for (const key of wanted) {
    if (!key.startsWith('Zone/') && key !== 'Fleet/all') continue;
    const devices = [...fleet.devices.keys()].filter((name) =>
      ancestorsOf(fleet, { kind: 'Device', name }).some((node) => graphKey(node) === key),
    );
    counts.set(key, devices.length);
  }
  return counts;
}
