import { runEgress } from './run-egress.ts';
import type { NodeState } from '../state/node-state.ts';

/** Who may send: a port here by its MAC, or a port of another node with the group it bears. */
export interface Sender {
  readonly mac: string;
  /** Of a frame from another node; absent for a port here. */
  readonly group?: number;
}

/**
 * `MAC → MAC` of frames that a state lets to a port, from each sender: tables, filters and links as
 * they are, and what is absent lets everything pass.
 */
export function reachablePairs(
  state: NodeState,
  {
    senders,
    macOf,
  }: { readonly senders: readonly Sender[]; readonly macOf: (port: string) => string },
): ReadonlySet<string> {
  const up = new Map(state.links.filter((link) => link.up).map((link) => [link.name, link]));
  const ports = [...up.values()].filter(({ name }) => name.startsWith('tp'));
  const pairs = new Set<string>();
  for (const sender of senders) {
    const entries =
      sender.group === undefined
        ? ports.filter(({ name }) => macOf(name) === sender.mac)
        : [...up.values()].filter(({ name }) => name.startsWith('tv'));
    for (const entry of entries) {
      const mark = markAtEntry(state, entry.name, sender);
      if (mark === undefined) continue;
      for (const exit of ports) {
        if (exit === entry || exit.master !== entry.master || !up.has(exit.master ?? '')) continue;
        if (!hasElement(state, 'allow', [mark, exit.name])) continue;
        const filter = state.egress.find(({ dev }) => dev === exit.name);
        if (filter !== undefined && !runEgress(filter.program, mark)) continue;
        pairs.add(`${sender.mac} → ${macOf(exit.name)}`);
      }
    }
  }
  return pairs;
}

/** Undefined where it is dropped. */
function markAtEntry(state: NodeState, entry: string, { mac, group }: Sender): number | undefined {
  if (!hasRules(state)) return group ?? 0;
  if (group !== undefined)
    return hasElement(state, 'remote', [entry, mac, group]) ? group : undefined;
  const found = elementsOf(state, 'groups').find(
    (element) =>
      Array.isArray(element) &&
      JSON.stringify(element[0]) === JSON.stringify({ concat: [entry, mac] }),
  );
  return Array.isArray(found) ? Number(found[1]) : undefined;
}

function hasElement(state: NodeState, set: string, parts: readonly unknown[]): boolean {
  if (!hasRules(state)) return true;
  const text = JSON.stringify({ concat: parts });
  return elementsOf(state, set).some((element) => JSON.stringify(element) === text);
}

function hasRules(state: NodeState): boolean {
  return state.nft.tables.some(({ family, chains }) => family === 'bridge' && chains.length > 0);
}

function elementsOf(state: NodeState, set: string): readonly unknown[] {
  return (
    state.nft.tables.flatMap(({ sets }) => sets).find(({ name }) => name === set)?.elements ?? []
  );
}
