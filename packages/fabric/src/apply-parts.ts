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

/** Segments of a part: some tenths of a second of the kernel's time. */
const partSize: Readonly<Record<NodeLayout, number>> = {
  devices: 200,
  carrier: 20_000,
  underlay: Infinity,
};

/** Whether a node has nothing of ours, and is to get so much that parts of it are worth it. */
export function goesInParts(intent: FabricIntent, before: NodeState, layout: NodeLayout): boolean {
  if (intent.segments.length < 2 * partSize[layout]) return false;
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
 * next is planned. Undefined where something was refused or failed; then what was made is half.
 */
export async function applyParts(
  intent: FabricIntent,
  init: {
    readonly layout: NodeLayout;
    readonly compile: (intent: FabricIntent, previous: CompiledNode | undefined) => CompiledNode;
    readonly execute: (plan: readonly Operation[]) => Promise<ExecutionResult>;
  },
): Promise<{ readonly compiled: CompiledNode; readonly operations: number } | undefined> {
  const { compile, execute, layout } = init;
  const { length } = intent.segments;
  let compiled: CompiledNode | undefined;
  let operations = 0;
  let under: Promise<ExecutionResult> = Promise.resolve({ done: true });
  for (let start = 0; start < length; start += partSize[layout]) {
    const segments = intent.segments.slice(0, start + partSize[layout]);
    const next = compile({ ...intent, segments }, compiled);
    const plan = next.refused.length > 0 ? undefined : planPart(next, compiled);
    const result = await under;
    if (!result.done || plan === undefined) return undefined;
    under = execute(plan);
    // It is waited for after the next part is planned.
    under.catch(() => {});
    operations += plan.length;
    compiled = next;
  }
  const last = await under;
  return last.done && compiled !== undefined ? { compiled, operations } : undefined;
}
