import type { SegmentIntent } from '../intent/segment-intent.ts';
import { certifySegment } from './certify-segment.ts';
import type { FabricModel } from './fabric-model.ts';
import { inspectSegment } from './inspect-segment.ts';
import { closeSegment } from './segment-closure.ts';
import type { Finding } from './verdict.ts';

export interface SegmentVerdict {
  readonly findings: readonly Finding[];
  /** All that it depends on, among them nodes that only receive its frames. */
  readonly nodes: ReadonlySet<string>;
  readonly facts: number;
  /** Lines of the certificate; none where more than bridges and their rules keep it closed. */
  readonly certified: readonly string[] | undefined;
}

/** One segment from what its nodes have, and nothing of what is known about others. */
export function verifySegment(fabric: FabricModel, segment: SegmentIntent): SegmentVerdict {
  const closure = closeSegment(fabric, segment);
  inspectSegment(fabric, segment, closure);
  const { findings, nodes } = closure;
  const facts = closure.facts.length;
  const found = { findings: findings.list, nodes, facts };
  const skipped = [...nodes].some((name) => {
    const node = fabric.node(name);
    return node?.skipsRules === true || node?.isOpenToMore === true;
  });
  if (closure.refuted || skipped) return { ...found, certified: undefined };
  if (!closure.held) return { ...found, certified: certifySegment(segment, closure.facts) };
  // The certificate is of bridges and their rules alone, so it holds whatever the underlay does.
  const unguarded = closeSegment(fabric, segment, { unguarded: true });
  const known = new Set(findings.list.map(({ message }) => message));
  const more = unguarded.findings.list.filter(
    ({ kind, message }) => kind === 'leak' && !known.has(message),
  );
  for (const { node, message, from, to, path } of more) {
    findings.add('degraded', 'rules_absent', {
      node,
      key: `underlay ${message}`,
      message: `but for the underlay, ${message}`,
      from,
      to,
      path: () => path,
    });
  }
  return {
    ...found,
    certified:
      more.length > 0 || unguarded.refuted ? undefined : certifySegment(segment, unguarded.facts),
  };
}
