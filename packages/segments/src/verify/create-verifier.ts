import type { FabricIntent, SegmentIntent } from '../intent/segment-intent.ts';
import type { NodeState } from '../state/node-state.ts';
import type { Certificate } from './certificate.ts';
import { indexClaim } from './claim-index.ts';
import { FabricModel } from './fabric-model.ts';
import { type PlaceForm, placeForms, placesOf } from './place-form.ts';
import { shareUnchanged } from './share-unchanged.ts';
import { SlicedFabric } from './sliced-fabric.ts';
import { type SegmentVerdict, verifySegment } from './verify-segment.ts';
import type { FindingKind, Verdict } from './verdict.ts';

/** Keeps the model of a fabric, so that a change of a node costs what depends on that node. */
export interface FabricVerifier {
  verdict(): Verdict;
  /** A node was observed again, for the first time, or cannot be any more. */
  update(node: string, state: NodeState | undefined): Verdict;
}

/** `nodes` are kept where a segment is like no other: else slices say what is different. */
type KnownVerdict = Omit<SegmentVerdict, 'nodes'> & {
  readonly nodes: ReadonlySet<string> | undefined;
};

/** What segments of one shape have in common: nothing was found in the first of them. */
interface ShapeVerdict {
  readonly facts: number;
  readonly places: readonly PlaceForm[];
}

/** From the worst to what is only worth knowing. */
const order: readonly FindingKind[] = ['leak', 'unproven', 'degraded', 'missing', 'note'];

/** Throws `community_unknown`. */
export function createVerifier(
  claim: FabricIntent,
  states: ReadonlyMap<string, NodeState>,
): FabricVerifier {
  const fabric = new FabricModel(indexClaim(claim), states);
  const sliced = new SlicedFabric(fabric);
  const ports = claim.segments.reduce((sum, segment) => sum + segment.ports.length, 0);
  const verdicts = new Map<number, KnownVerdict>();
  const shapes = new Map<string, ShapeVerdict>();

  function verify(segment: SegmentIntent): KnownVerdict {
    const shape = sliced.shapeOf(segment.vni);
    const alike = shape === undefined ? undefined : shapes.get(shape);
    if (alike !== undefined) {
      const certified = placesOf(alike.places, sliced.namesOf(segment.vni));
      return { findings: [], nodes: undefined, facts: alike.facts, certified };
    }
    const found = verifySegment(fabric, segment);
    if (shape === undefined) return found;
    const { findings, facts, certified } = found;
    if (findings.length === 0 && certified !== undefined) {
      const places = placeForms(certified, sliced.namesOf(segment.vni));
      shapes.set(shape, { facts, places });
    }
    return { findings, facts, certified, nodes: undefined };
  }
  function verdict(): Verdict {
    const all = claim.segments.map((segment) => {
      let known = verdicts.get(segment.vni);
      if (known === undefined) verdicts.set(segment.vni, (known = verify(segment)));
      return known;
    });
    return summarise(all, { nodes: fabric.size, ports });
  }
  return {
    verdict,
    update(node, given) {
      const before = fabric.states.get(node);
      const state = before && given && shareUnchanged(before, given);
      if (before !== undefined && state === before) return verdict();
      if (fabric.set(node, state ?? given)) verdicts.clear();
      for (const vni of sliced.update(node)) verdicts.delete(vni);
      for (const [vni, { nodes }] of verdicts) if (nodes?.has(node) === true) verdicts.delete(vni);
      return verdict();
    },
  };
}

function summarise(
  segments: readonly KnownVerdict[],
  { nodes, ports }: { readonly nodes: number; readonly ports: number },
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
  const certified = segments.map((segment) => segment.certified);
  const closed = result === 'verified' || result === 'degraded';
  const isCertified = closed && !certified.includes(undefined);
  return {
    result,
    nodes,
    segments: segments.length,
    ports,
    facts: segments.reduce((sum, segment) => sum + segment.facts, 0),
    findings,
    ...(isCertified && { certificate: certificateOf(certified) }),
  };
}

/** After each change only some lines are others; they are put together when somebody reads them. */
function certificateOf(certified: readonly (readonly string[] | undefined)[]): Certificate {
  let places: readonly string[] | undefined;
  return {
    version: 1,
    get places() {
      places ??= certified.flatMap((own) => own ?? []);
      return places;
    },
  };
}
