import {
  type CompiledNode,
  emptyState,
  mergeStates,
  type NodeState,
  type Operation,
  planNode,
  wholeState,
} from '@tapline/segments';

/** What makes of one compiled node the other: only of segments that may differ, without looking. */
export function planPart(
  compiled: CompiledNode,
  previous: CompiledNode | undefined,
): readonly Operation[] {
  const { touched, shared } = compiled;
  if (previous === undefined || touched === undefined) {
    return planNode(wholeState(compiled), previous ? wholeState(previous) : emptyState);
  }
  const before: NodeState[] = [];
  const after: NodeState[] = [];
  if (shared !== previous.shared) {
    before.push(previous.shared);
    after.push(shared);
  }
  for (const vni of touched) {
    const old = previous.segments.get(vni);
    const segment = compiled.segments.get(vni);
    if (old === segment) continue;
    if (segment !== undefined) after.push(segment.state);
    if (old !== undefined) before.push(old.state);
  }
  return planNode(
    after.length === 0 ? emptyState : mergeStates(after),
    before.length === 0 ? emptyState : mergeStates(before),
  );
}
