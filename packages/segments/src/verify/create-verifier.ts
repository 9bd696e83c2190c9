import type { FabricIntent, SegmentIntent } from '../intent/segment-intent.ts';
import type { NodeState } from '../state/node-state.ts';
import { certifySegment } from './certify-segment.ts';
import { indexClaim } from './claim-index.ts';
import { FabricModel } from './fabric-model.ts';
import { inspectSegment } from './inspect-segment.ts';
import { closeSegment } from './segment-closure.ts';
import type { Finding, FindingKind, Verdict } from './verdict.ts';

/** Keeps the model of a fabric, so that a change of a node costs what depends on that node. */
export interface FabricVerifier {
  verdict(): Verdict;
  /** A node was observed again, for the first time, or cannot be any more. */
  update(node: string, state: NodeState | undefined): Verdict;
}

interface SegmentVerdict {
  readonly findings: readonly Finding[];
  readonly nodes: ReadonlySet<string>;
  readonly facts: number;
  readonly certified: readonly string[];
}

/** From the worst to what is only worth knowing. */
const order: readonly FindingKind[] = ['leak', 'unproven', 'degraded', 'missing', 'note'];

/** Throws `community_unknown`. */
export function createVerifier(
  claim: FabricIntent,
  states: ReadonlyMap<string, NodeState>,
): FabricVerifier {
  const fabric = new FabricModel(indexClaim(claim), states);
  const segments = new Map<SegmentIntent, SegmentVerdict>();
  function verdict(): Verdict {
    const verdicts = claim.segments.map((segment) => {
      const known = segments.get(segment);
      if (known !== undefined) return known;
      const found = verifySegment(fabric, segment);
      segments.set(segment, found);
      return found;
    });
    return summarise(claim, fabric, verdicts);
  }
  return {
    verdict,
    update(node, state) {
      const touched = fabric.set(node, state);
      for (const [segment, known] of segments) {
        if (touched(segment.vni) && known.nodes.has(node)) segments.delete(segment);
      }
      return verdict();
    },
  };
}

function verifySegment(fabric: FabricModel, segment: SegmentIntent): SegmentVerdict {
  const closure = closeSegment(fabric, segment);
  inspectSegment(fabric, segment, closure);
  const { facts, findings, nodes } = closure;
  return {
    findings: findings.list,
    nodes,
    facts: facts.length,
    certified: certifySegment(segment, facts),
  };
}

function summarise(
  claim: FabricIntent,
  fabric: FabricModel,
  segments: readonly SegmentVerdict[],
): Verdict {
  const findings = segments
    .flatMap((segment) => segment.findings)
    .toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
  const worst = findings[0]?.kind;
  const result =
    worst === 'leak'
      ? 'open'
      : worst === 'unproven' || worst === 'degraded'
        ? worst
        : ('verified' as const);
  return {
    result,
    nodes: fabric.nodes.size,
    segments: segments.length,
    ports: claim.segments.reduce((sum, segment) => sum + segment.ports.length, 0),
    facts: segments.reduce((sum, segment) => sum + segment.facts, 0),
    findings,
    ...((result === 'verified' || result === 'degraded') && {
      certificate: { version: 1, places: segments.flatMap((segment) => segment.certified) },
    }),
  };
}
