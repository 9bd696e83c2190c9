import type {
  CompiledNode,
  FabricIntent,
  NodeLayout,
  NodeState,
  Operation,
} from '@tapline/segments';
import { ownState } from '@tapline/segments';
import type { ExecutionResult } from './fabric-helper.ts';
import { planPart } from './plan-part.ts';

/** Segments of a large part: about a second of the kernel's time. */
const partSize: Readonly<Record<NodeLayout, number>> = {
  devices: 400,
  carrier: 20_000,
  vlans: 400,
  underlay: Infinity,
};
/** The first is a small one, as nothing is done beside planning it; each next is twice as large. */
const firstPart = 1 / 16;

/** Whether a node has nothing of ours, and is to get so much that parts of it are worth it. */
export function goesInParts(intent: FabricIntent, before: NodeState, layout: NodeLayout): boolean {
  if (intent.segments.length <= partSize[layout]) return false;
  // Whether keys were sent with before is asked of the whole.
  if (intent.segments.some(({ encryption }) => encryption.underlay === 'ipsec')) return false;
  if (intent.segments.some(({ encryption }) => encryption.link === 'macsec')) return false;
  const { links, nft, guards = [] } = ownState(before, { ends: [] });
  // Ports without their other end are not among those that could be made again.
  const ports = before.links.some(({ name }) => name.startsWith('tp'));
  return links.length + nft.tables.length + guards.length === 0 && !ports;
}

/**
 * Makes a node from nothing, a part of the segments after the other: while the kernel has one, the
 * next is planned and checked. Undefined where something was refused or failed; then what was made
 * is half.
 */
export async function applyParts(
  intent: FabricIntent,
  init: {
    readonly layout: NodeLayout;
    readonly compile: (intent: FabricIntent, previous: CompiledNode | undefined) => CompiledNode;
    readonly execute: (
      plan: readonly Operation[],
      options: { readonly follows: boolean },
    ) => Promise<ExecutionResult>;
  },
): Promise<{ readonly compiled: CompiledNode; readonly operations: number } | undefined> {
  const { compile, execute, layout } = init;
  const { length } = intent.segments;
  let compiled: CompiledNode | undefined;
  let operations = 0;
  let given: readonly Promise<ExecutionResult>[] = [];
  let size = partSize[layout] * firstPart;
  for (let end = size; ; end += size) {
    const next = compile({ ...intent, segments: intent.segments.slice(0, end) }, compiled);
    const plan = next.refused.length > 0 ? undefined : planPart(next, compiled);
    // One is carried out, and one is read and checked meanwhile.
    const before = await Promise.all(given.slice(0, -1));
    if (plan === undefined || !before.every(({ done }) => done)) break;
    const result = execute(plan, { follows: compiled !== undefined });
    // It is waited for after the next parts are planned.
    result.catch(() => {});
    given = [...given.slice(-1), result];
    operations += plan.length;
    compiled = next;
    size = Math.min(2 * size, partSize[layout]);
    if (end < length) continue;
    const last = await Promise.all(given);
    return last.every(({ done }) => done) ? { compiled, operations } : undefined;
  }
  await Promise.all(given);
  return undefined;
}
