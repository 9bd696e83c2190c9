import { readFileSync } from 'node:fs';
import { isTaplineError } from '@tapline/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FabricIntent } from '../intent/segment-intent.ts';
import type { NodeState } from '../state/node-state.ts';
import { arbitraryFabric } from '../testing/arbitrary-fabric.ts';
import { compiledStates } from '../testing/compiled-states.ts';
import { arbitraryMutation, arbitraryVlanMutation } from '../testing/mutate-state.ts';
import { necessaryKinds, simulate, simulateKinds } from '../testing/simulate.ts';
import type { Certificate } from './certificate.ts';
import { checkCertificate } from './check-certificate.ts';
import { indexClaim, isAllowed } from './claim-index.ts';
import { createVerifier } from './create-verifier.ts';
import { mostMissing } from './find-missing.ts';
import { verifyFabric } from './verify-fabric.ts';

/** Both layers, or one that is gone everywhere or on one node: then a single mishap can open. */
const layers: fc.Arbitrary<(states: Map<string, NodeState>) => Map<string, NodeState>> =
  fc.constantFrom(
    (states) => states,
    (states) => new Map([...states].map(([name, state]) => [name, { ...state, egress: [] }])),
    (states) =>
      new Map(
        [...states].map(([name, state]) => [
          name,
          {
            ...state,
            nft: { tables: state.nft.tables.map((table) => ({ ...table, chains: [] })) },
          },
        ]),
      ),
  );

/** All nodes with a bridge for each segment, or some with one bridge that has VLANs. */
const scenario = fc.oneof(
  fc.record({
    fabric: arbitraryFabric,
    vlans: fc.constant(0),
    layer: layers,
    mutations: fc.array(arbitraryMutation, { minLength: 1, maxLength: 3 }),
    node: fc.nat(3),
  }),
  fc.record({
    fabric: arbitraryFabric,
    vlans: fc.integer({ min: 1, max: 15 }),
    layer: layers,
    mutations: fc.array(fc.oneof(arbitraryMutation, arbitraryVlanMutation), {
      minLength: 1,
      maxLength: 3,
    }),
    node: fc.nat(3),
  }),
);

interface Scenario {
  readonly fabric: FabricIntent;
  readonly states: ReadonlyMap<string, NodeState>;
  readonly good: ReadonlyMap<string, NodeState>;
  readonly mutations: readonly string[];
}

const scenarios: fc.Arbitrary<Scenario> = scenario.map((chosen) => {
  const { fabric, vlans, layer, mutations, node } = chosen;
  const good = compiledStates(fabric, vlans);
  const states = layer(new Map(good));
  const changed = fabric.nodes[node % fabric.nodes.length]?.name ?? '';
  const state = states.get(changed);
  if (state !== undefined) {
    states.set(
      changed,
      mutations.reduce((current, mutation) => mutation.apply(current), state),
    );
  }
  return { fabric, states, good, mutations: mutations.map(({ name }) => name) };
});

/** Pairs of interfaces that a frame passed between in the simulation, and policy forbids. */
function forbidden({ fabric, states }: Scenario): readonly string[] {
  const ports = [...indexClaim(fabric).segments.values()].flat();
  const byDevice = new Map(ports.map((port) => [port.device, port]));
  return [...simulate(fabric, states)].filter((pair) => {
    const [from, to] = pair.split(' ').map((device) => byDevice.get(device));
    return from === undefined || to === undefined || !isAllowed(from, to);
  });
}

/** Why the checker refuses; undefined where it accepts. */
function refusal(certificate: Certificate, { fabric, states }: Scenario): string | undefined {
  try {
    checkCertificate(certificate, fabric, states);
    return undefined;
  } catch (error) {
    if (isTaplineError(error, 'certificate_refused')) return error.message;
    throw error;
  }
}

/** What the verifier or the checker gets wrong about a fabric, by the simulation. */
function overlooked(world: Scenario): readonly string[] {
  const verdict = verifyFabric(world.fabric, world.states);
  const before = verifyFabric(world.fabric, world.good).certificate;
  const pairs = forbidden(world);
  const reached = new Set(
    verdict.findings.filter(({ kind }) => kind === 'leak').map(({ to }) => to?.device),
  );
  const problems = pairs
    .filter((pair) => !reached.has(pair.split(' ')[1]))
    .map((pair) => `${pair} is not found`);
  if (pairs.length > 0 && verdict.result !== 'open') problems.push(`it is ${verdict.result}`);
  if (pairs.length > 0 && before !== undefined && refusal(before, world) === undefined) {
    problems.push('the certificate of before is accepted');
  }
  if (verdict.certificate !== undefined) {
    const why = refusal(verdict.certificate, world);
    if (why !== undefined) problems.push(`the certificate is refused: ${why}`);
  }
  return problems;
}

/** Pairs that something of what they need does not pass between, and pairs that the verifier names. */
function missingPairs({ fabric, states }: Scenario): {
  readonly lacking: readonly string[];
  readonly told: readonly string[];
} {
  const passed = simulateKinds(fabric, states);
  const { findings } = verifyFabric(fabric, states);
  const absent = new Set(
    findings.filter(({ code }) => code === 'port_absent').map(({ from }) => from?.device),
  );
  const ports = [...indexClaim(fabric).segments.values()]
    .flat()
    .filter(({ device }) => !absent.has(device));
  const lacking = ports.flatMap((from) =>
    ports
      .filter((to) => to !== from && isAllowed(from, to))
      .map((to) => `${from.device} ${to.device}`)
      .filter((pair) => necessaryKinds.some((kind) => passed.get(pair)?.has(kind) !== true)),
  );
  const told = findings
    .filter(({ code }) => code === 'pair_unreachable')
    .map(({ from, to }) => `${from?.device} ${to?.device}`);
  return { lacking, told };
}

describe('against a simulation that runs frame by frame', () => {
  test('a good fabric carries what the policy allows and nothing else', () => {
    fc.assert(
      fc.property(arbitraryFabric, fc.nat(15), (fabric, vlans) => {
        const states = compiledStates(fabric, vlans);
        const ports = [...indexClaim(fabric).segments.values()].flat();
        const allowed = ports.flatMap((from) =>
          ports
            .filter((to) => to !== from && isAllowed(from, to))
            .map((to) => `${from.device} ${to.device}`),
        );
        expect([...simulate(fabric, states)].toSorted()).toEqual(allowed.toSorted());
        expect(verifyFabric(fabric, states).result).toBe('verified');
      }),
      { numRuns: 12 },
    );
  });

  test('whatever mutations do, nothing is overlooked', () => {
    fc.assert(
      fc.property(scenarios, (world) => {
        expect(overlooked(world)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  test('every path that mutations open is found, and no certificate hides it', () => {
    // Both layers keep most mutations from opening anything: these are the ones that do.
    const opened = scenarios.filter((world) => forbidden(world).length > 0);
    fc.assert(
      fc.property(opened, (world) => {
        expect(overlooked(world)).toEqual([]);
      }),
      { numRuns: 6 },
    );
  });

  test('what is allowed and does not pass is missing, and nothing else is', () => {
    fc.assert(
      fc.property(scenarios, (world) => {
        const { lacking, told } = missingPairs(world);
        expect(told.filter((pair) => !lacking.includes(pair))).toEqual([]);
        const expected = world.fabric.segments.map(({ vni }) => {
          const own = lacking.filter((pair) => pair.startsWith(`tp${vni.toString(36)}.`));
          return Math.min(own.length, mostMissing);
        });
        expect(told.length).toBe(expected.reduce((sum, number) => sum + number, 0));
      }),
      { numRuns: 25 },
    );
  });
});

test('a verifier that is kept says what a new one says, whatever changes', () => {
  fc.assert(
    fc.property(scenarios, ({ fabric, good, states }) => {
      const verifier = createVerifier(fabric, good);
      verifier.verdict();
      let last = verifier.verdict();
      for (const [name, state] of states) last = verifier.update(name, structuredClone(state));
      expect(last).toEqual(verifyFabric(fabric, states));
    }),
    { numRuns: 12 },
  );
});

describe('a certificate', () => {
  test('is refused without any of its places, and with other VNIs', () => {
    fc.assert(
      fc.property(arbitraryFabric, fc.nat(), fc.nat(15), (fabric, at, vlans) => {
        const states = compiledStates(fabric, vlans);
        const world = { fabric, states, good: states, mutations: [] };
        const { certificate } = verifyFabric(fabric, states);
        if (certificate === undefined) throw new Error('a good fabric has no certificate');
        const { places } = certificate;
        expect(refusal(certificate, world)).toBeUndefined();
        const dropped = places.filter((_, index) => index !== at % places.length);
        expect(refusal({ version: 1, places: dropped }, world)).toBeDefined();
        const moved = places.map((place) =>
          place.replace(/^\d+/, (vni) => String(Number(vni) + 7)),
        );
        expect(refusal({ version: 1, places: moved }, world)).toBeDefined();
      }),
      { numRuns: 8 },
    );
  });

  test('is checked by one file of at most 150 lines of code that takes nothing of the verifier', () => {
    const text = readFileSync(new URL('check-certificate.ts', import.meta.url), 'utf8');
    const code = text.split('\n').filter((line) => !/^\s*(\/\/|\/?\*|$)/.test(line));
    expect(code.length).toBeLessThanOrEqual(150);
    const imports = [...text.matchAll(/from '(?<path>[^']+)'/g)].map(
      (match) => match.groups?.['path'],
    );
    expect(imports.filter((path) => path?.startsWith('./'))).toEqual(['./certificate.ts']);
  });
});
