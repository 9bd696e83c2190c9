import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FabricIntent, SegmentIntent } from '../intent/segment-intent.ts';
import type { NodeState } from '../state/node-state.ts';
import { alikeFabric } from '../testing/alike-fabric.ts';
import { compiledStates } from '../testing/compiled-states.ts';
import { arbitraryMutation, arbitraryVlanMutation } from '../testing/mutate-state.ts';
import { arbitraryOddity } from '../testing/odd-state.ts';
import { indexClaim } from './claim-index.ts';
import { createVerifier } from './create-verifier.ts';
import { FabricModel } from './fabric-model.ts';
import { SlicedFabric } from './sliced-fabric.ts';
import type { Verdict } from './verdict.ts';
import { verifyFabric } from './verify-fabric.ts';
import { verifySegment } from './verify-segment.ts';

type States = ReadonlyMap<string, NodeState>;

const scenarios = fc
  .record({
    fabric: alikeFabric,
    vlans: fc.oneof(fc.constant(0), fc.nat(15)),
    changes: fc.array(fc.oneof(arbitraryMutation, arbitraryVlanMutation, arbitraryOddity), {
      minLength: 1,
      maxLength: 2,
    }),
    everywhere: fc.boolean(),
    node: fc.nat(3),
  })
  .map(({ fabric, vlans, changes, everywhere, node }) => {
    const good = compiledStates(fabric, vlans);
    const changed = fabric.nodes[node % fabric.nodes.length]?.name;
    const states = new Map(
      [...good].map(([name, state]) => [
        name,
        everywhere || name === changed
          ? changes.reduce((current, { apply }) => apply(current), state)
          : state,
      ]),
    );
    return { fabric, good, states, changes: changes.map(({ name }) => name) };
  });

/** Each segment by itself, without a word of any other. */
function oneByOne(fabric: FabricIntent, states: States): Pick<Verdict, 'facts' | 'findings'> {
  const model = new FabricModel(indexClaim(fabric), states);
  const all = fabric.segments.map((segment) => verifySegment(model, segment));
  return {
    facts: all.reduce((sum, { facts }) => sum + facts, 0),
    findings: all.flatMap(({ findings }) => findings),
  };
}

function sorted(findings: Verdict['findings']): readonly string[] {
  return findings.map((finding) => JSON.stringify(finding)).toSorted();
}

test('segments that are alike get the verdict that each would get by itself', () => {
  fc.assert(
    fc.property(scenarios, ({ fabric, states }) => {
      const verdict = verifyFabric(fabric, states);
      const apart = oneByOne(fabric, states);
      expect(sorted(verdict.findings)).toEqual(sorted(apart.findings));
      expect(verdict.facts).toBe(apart.facts);
      if (verdict.certificate === undefined) return;
      const model = new FabricModel(indexClaim(fabric), states);
      const lines = fabric.segments.flatMap(
        (segment) => verifySegment(model, segment).certified ?? [],
      );
      expect(verdict.certificate.places).toEqual(lines);
    }),
    { numRuns: 60 },
  );
});

test('a device that is told of twice, in bridges of segments that are alike, is found in both', () => {
  const segment = (vni: number): SegmentIntent => ({
    name: `s${vni}`,
    vni,
    subnet: `10.${vni % 100}.0.0/24`,
    mtu: 1450,
    encryption: { underlay: 'none', link: 'none' },
    communities: {},
    ports: [
      {
        node: 'n0',
        index: 1,
        incarnation: 1,
        owner: 'w1',
        addresses: [`10.${vni % 100}.0.1`],
        role: { kind: 'isolated' },
        attach: { kind: 'host' },
      },
    ],
  });
  const fabric: FabricIntent = {
    vxlanPort: 4789,
    nodes: [{ name: 'n0', vtep: '10.250.0.1', underlay: '192.0.2.1' }],
    segments: [segment(7999), segment(8000), segment(8001)],
  };
  const states = new Map(
    [...compiledStates(fabric)].map(([name, state]) => {
      const twice = ['tb8000', 'tb8001'].map((master) => ({
        name: 'eth9',
        kind: 'veth',
        up: true,
        mtu: 1500,
        mac: '06:00:00:00:00:99',
        master,
      }));
      return [name, { ...state, links: [...state.links, ...twice] }];
    }),
  );
  const { findings } = verifyFabric(fabric, states);
  expect(findings.map((finding) => [finding.code, finding.segment?.vni])).toEqual([
    ['stranger_in_bridge', 8000],
    ['stranger_in_bridge', 8001],
  ]);
});

test('a verifier that is kept says the same, whatever changes and changes back', () => {
  fc.assert(
    fc.property(scenarios, ({ fabric, good, states }) => {
      const verifier = createVerifier(fabric, good);
      const before = verifier.verdict();
      let last = before;
      // Once as it was read anew, and once with what did not change being the same object.
      for (const [name, state] of states) last = verifier.update(name, structuredClone(state));
      expect(last).toEqual(verifyFabric(fabric, states));
      for (const [name, state] of good) last = verifier.update(name, state);
      for (const [name, state] of states) last = verifier.update(name, state);
      expect(last).toEqual(verifyFabric(fabric, states));
      for (const [name, state] of good) last = verifier.update(name, structuredClone(state));
      expect(last).toEqual(before);
    }),
    { numRuns: 20 },
  );
});

test('segments of a good fabric with the same roles in the same places are of one shape', () => {
  fc.assert(
    fc.property(alikeFabric, (fabric) => {
      const model = new FabricModel(indexClaim(fabric), compiledStates(fabric));
      const sliced = new SlicedFabric(model);
      const shapes = fabric.segments.map(({ vni }) => sliced.shapeOf(vni));
      expect(shapes).not.toContain(undefined);
      for (let at = 0; at < shapes.length; at += 3) expect(shapes[at + 1]).toBe(shapes[at]);
    }),
    { numRuns: 10 },
  );
});
