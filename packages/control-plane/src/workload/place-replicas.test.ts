import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CurrentPlacement, placeReplicas, type PlacementNode } from './place-replicas.ts';

function node(name: string, more: Partial<PlacementNode> = {}): PlacementNode {
  return {
    name,
    zone: '',
    state: 'up',
    wanted: true,
    freeCpus: 4,
    freeMemoryBytes: 1000,
    others: 0,
    ...more,
  };
}

type Request = Parameters<typeof placeReplicas>[0];
const nothing: Request = {
  replicas: 1,
  cpus: 1,
  memoryBytes: 100,
  nodes: [],
  current: [],
  epoch: 0,
};

function places(request: Partial<Request>): readonly string[] {
  return placeReplicas({ ...nothing, ...request }).placements.map(
    ({ node: name, epoch, phase }) => `${name}@${epoch} ${phase}`,
  );
}

describe('placement', () => {
  test('over zones, then where there is least, then where there is room', () => {
    const nodes = [
      node('a1', { zone: 'a' }),
      node('a2', { zone: 'a' }),
      node('b1', { zone: 'b', others: 2 }),
      node('b2', { zone: 'b', others: 1 }),
      node('c1', { zone: 'c', freeCpus: 0.5 }),
    ];
    expect(places({ nodes, replicas: 3 })).toEqual(['a1@1 active', 'b2@2 active', 'a2@3 active']);
  });

  test('a node that is lost for a moment keeps its replica, a dead one does not', () => {
    const current = [{ node: 'a', epoch: 1, ready: true }];
    const others = [node('b'), node('c')];
    expect(places({ current, epoch: 1, nodes: [node('a', { state: 'lost' }), ...others] })).toEqual(
      ['a@1 active'],
    );
    expect(places({ current, epoch: 1, nodes: [node('a', { state: 'down' }), ...others] })).toEqual(
      ['b@2 active'],
    );
    // It is deleted as a device.
    expect(places({ current, epoch: 1, nodes: others })).toEqual(['b@2 active']);
  });

  test('a dead node keeps what nobody else has room for, and has it still when it returns', () => {
    const current = [{ node: 'a', epoch: 1, ready: false }];
    const full = node('b', { freeMemoryBytes: 10 });
    const plan = placeReplicas({
      ...nothing,
      current,
      epoch: 1,
      nodes: [node('a', { state: 'down' }), full],
    });
    expect(plan.placements).toEqual([{ node: 'a', epoch: 1, phase: 'waiting', isNew: false }]);
    expect(plan.missing).toBe(1);
    expect([...plan.refusals]).toEqual([['too little memory free', 1]]);
    expect(places({ current, epoch: 1, nodes: [node('a'), full] })).toEqual(['a@1 active']);
  });

  test('what is drained serves until another one does', () => {
    const drained = node('a', { wanted: false });
    const current = [{ node: 'a', epoch: 1, ready: true }];
    expect(places({ current, epoch: 1, nodes: [drained, node('b')] })).toEqual([
      'a@1 leaving',
      'b@2 active',
    ]);
    const moved = (ready: boolean): readonly CurrentPlacement[] => [
      ...current,
      { node: 'b', epoch: 2, ready },
    ];
    const both = [drained, node('b')];
    expect(places({ current: moved(false), epoch: 2, nodes: both })).toEqual([
      'a@1 leaving',
      'b@2 active',
    ]);
    expect(places({ current: moved(true), epoch: 2, nodes: both })).toEqual(['b@2 active']);
  });

  test('fewer replicas leave the most crowded zone, the newest first', () => {
    const nodes = [node('a1', { zone: 'a' }), node('a2', { zone: 'a' }), node('b1', { zone: 'b' })];
    const current = [
      { node: 'a1', epoch: 1, ready: true },
      { node: 'b1', epoch: 2, ready: true },
      { node: 'a2', epoch: 3, ready: true },
    ];
    expect(places({ nodes, current, epoch: 3, replicas: 2 })).toEqual([
      'a1@1 active',
      'b1@2 active',
    ]);
    expect(places({ nodes, current, epoch: 3, replicas: 0 })).toEqual([]);
  });
});

const request: fc.Arbitrary<Request> = fc
  .record({
    replicas: fc.nat(6),
    cpus: fc.constantFrom(0, 0.5, 1, 2),
    memoryBytes: fc.constantFrom(0, 50, 100),
    nodes: fc.array(
      fc.record({
        zone: fc.constantFrom('a', 'b', 'c'),
        state: fc.constantFrom('up' as const, 'up' as const, 'lost' as const, 'down' as const),
        wanted: fc.integer({ min: 0, max: 3 }).map((number) => number > 0),
        isBlocked: fc.integer({ min: 0, max: 3 }).map((number) => number === 0),
        freeCpus: fc.constantFrom(0, 1, 4),
        freeMemoryBytes: fc.constantFrom(0, 100, 1000),
        others: fc.nat(2),
        has: fc.constantFrom(undefined, undefined, true, false),
        epoch: fc.integer({ min: 1, max: 9 }),
      }),
      { maxLength: 8 },
    ),
    gone: fc.boolean(),
  })
  .map(({ nodes, gone, ...rest }) => {
    const named = nodes.map((one, index) => ({ ...one, name: `n${index}` }));
    const current = named
      .filter(({ has }) => has !== undefined)
      // Epochs are unique.
      .map(({ name, has, epoch }, index) => ({
        node: name,
        epoch: epoch + index * 10,
        ready: has === true,
      }));
    const deleted = gone ? [{ node: 'deleted', epoch: 1000, ready: false }] : [];
    return {
      ...rest,
      current: [...current, ...deleted],
      epoch: 500,
      nodes: named.map(({ has: _has, epoch: _epoch, isBlocked, ...one }) => ({
        ...one,
        ...(isBlocked && { blocked: 'has another program of that package' }),
      })),
    };
  });

describe('whatever the nodes and whatever runs', () => {
  test('a node has a replica once, and new ones only where there is room and somebody', () => {
    fc.assert(
      fc.property(request, (of) => {
        const { placements } = placeReplicas(of);
        expect(new Set(placements.map(({ node: name }) => name)).size).toBe(placements.length);
        for (const one of placements.filter(({ isNew }) => isNew)) {
          const on = of.nodes.find(({ name }) => name === one.node);
          expect(on).toMatchObject({ state: 'up', wanted: true });
          expect(on?.blocked).toBeUndefined();
          expect(on?.freeCpus).toBeGreaterThanOrEqual(of.cpus);
          expect(on?.freeMemoryBytes).toBeGreaterThanOrEqual(of.memoryBytes);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('there are as many as asked for, unless no node is left that could', () => {
    fc.assert(
      fc.property(request, (of) => {
        const { placements, missing } = placeReplicas(of);
        const active = placements.filter(({ phase }) => phase === 'active');
        expect(active.length + missing).toBe(of.replicas);
        const used = new Set([...placements, ...of.current].map(({ node: name }) => name));
        const left = of.nodes.filter(
          (one) =>
            !used.has(one.name) &&
            one.wanted &&
            one.state === 'up' &&
            one.blocked === undefined &&
            one.freeCpus >= of.cpus &&
            one.freeMemoryBytes >= of.memoryBytes,
        );
        expect(missing === 0 || left.length === 0).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('epochs of new placements are higher than all before, and no other changes', () => {
    fc.assert(
      fc.property(request, (of) => {
        const { placements, epoch } = placeReplicas(of);
        const before = new Map(of.current.map((one) => [one.node, one.epoch]));
        const highest = Math.max(of.epoch, ...before.values());
        const added = placements.filter(({ isNew }) => isNew);
        expect(added.map((one) => one.epoch)).toEqual(added.map((_, index) => highest + 1 + index));
        expect(epoch).toBe(highest + added.length);
        for (const one of placements.filter(({ isNew }) => !isNew)) {
          expect(one.epoch).toBe(before.get(one.node));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('what serves is not taken away below what is asked for', () => {
    fc.assert(
      fc.property(request, (of) => {
        const isThere = (name: string): boolean =>
          of.nodes.some((one) => one.name === name && one.state !== 'down');
        const serving = of.current.filter((one) => one.ready && isThere(one.node));
        const after = new Set(placeReplicas(of).placements.map(({ node: name }) => name));
        const still = serving.filter((one) => after.has(one.node));
        expect(still.length).toBeGreaterThanOrEqual(Math.min(of.replicas, serving.length));
      }),
      { numRuns: 500 },
    );
  });

  test('a second look changes nothing', () => {
    fc.assert(
      fc.property(request, (of) => {
        const first = placeReplicas(of);
        const ready = new Map(of.current.map((one) => [one.node, one.ready]));
        const second = placeReplicas({
          ...of,
          epoch: first.epoch,
          current: first.placements.map(({ node: name, epoch }) => ({
            node: name,
            epoch,
            ready: ready.get(name) ?? false,
          })),
        });
        expect(second.placements.filter(({ isNew }) => isNew)).toEqual([]);
        expect(second.placements.map(({ node: name, phase }) => [name, phase])).toEqual(
          first.placements.map(({ node: name, phase }) => [name, phase]),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('with room everywhere, zones differ by one at most', () => {
    fc.assert(
      fc.property(request, (of) => {
        const nodes = of.nodes.map(({ name, zone }) => node(name, { zone }));
        const { placements } = placeReplicas({ ...of, nodes, current: [] });
        const zoneOf = new Map(nodes.map(({ name, zone }) => [name, zone]));
        const counts = new Map<string, number>();
        for (const one of placements) {
          const zone = zoneOf.get(one.node) ?? '';
          counts.set(zone, (counts.get(zone) ?? 0) + 1);
        }
        const full = (zone: string): boolean =>
          nodes.filter((one) => one.zone === zone).length === (counts.get(zone) ?? 0);
        const open = [...new Set(zoneOf.values())].filter((zone) => !full(zone));
        const highest = Math.max(0, ...counts.values());
        for (const zone of open)
          expect((counts.get(zone) ?? 0) + 1).toBeGreaterThanOrEqual(highest);
      }),
      { numRuns: 500 },
    );
  });
});
