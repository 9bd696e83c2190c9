import { afterEach, beforeEach, expect, test } from 'vitest';
import { createApiServer, type ApiServer, internalIdentity } from '@tapline/apiserver';
import { seededRng, silentLog, systemClock, TaplineError } from '@tapline/base';
import { createInProcessClient, type ResourceClient } from '@tapline/client';
import { allocationResource, type AllocationSpec, taplineResources } from '@tapline/resources';
import { grantLeases, type LeaseOutcome } from '@tapline/segments';
import { openSqliteStore, type Store } from '@tapline/store';
import { temporaryFolder } from '@tapline/testing';
import { join } from 'node:path';
import { type AllocationWriter, createAllocationWriter } from './allocation-writer.ts';

const pool = { name: 'segment site', first: 8192, size: 1024, prefix: '10.0.0.0/8' };
const about = { pool, foreign: { vnis: [], prefixes: [] }, nowMs: 0 };

let opened: AsyncDisposableStack;
let store: Store;
let api: ApiServer;

beforeEach(async () => {
  opened = new AsyncDisposableStack();
  const { path } = opened.use(await temporaryFolder());
  store = opened.use(await openSqliteStore({ path: join(path, 'store.sqlite') }));
  api = opened.use(
    await createApiServer({
      store,
      definitions: taplineResources,
      clock: systemClock,
      log: silentLog,
      audit: { record: () => undefined, written: () => Promise.resolve() },
      version: 'test',
    }),
  );
});
afterEach(() => opened.disposeAsync());

/** A client that lets others in between a look and a write, as a network would. */
function slowClient(seed: number): Pick<ResourceClient, 'get' | 'create' | 'update'> {
  const client = createInProcessClient(api, internalIdentity(`allocator-${seed}`));
  const rng = seededRng(seed);
  return {
    create: (definition, object) => client.create(definition, object),
    update: (definition, object) => client.update(definition, object),
    get: async (definition, name, options) => {
      const found = await client.get(definition, name, options);
      await systemClock.sleep(Math.floor(rng() * 3));
      return found;
    },
  };
}

async function lease(writer: AllocationWriter, owner: string): Promise<LeaseOutcome | undefined> {
  let outcome: LeaseOutcome | undefined;
  await writer.change('segment.site', (spec) => {
    const before = { serial: spec.serial, leases: spec.leases ?? [] };
    const wanted = { owner, uid: `uid-${owner}`, size: 1, prefixLength: 24 };
    const granted = grantLeases(before, [wanted], about);
    outcome = granted.outcomes.get(wanted.uid);
    if (granted.ledger === before) return spec;
    return { ...spec, ...granted.ledger } as AllocationSpec;
  });
  return outcome;
}

test('several allocators at once never give out a number twice, and lose none', async () => {
  const writers = [1, 2, 3, 4, 5].map((seed) =>
    createAllocationWriter({ client: slowClient(seed) }),
  );
  const outcomes = await Promise.all(
    writers.flatMap((writer, at) =>
      Array.from({ length: 40 }, (_, each) => lease(writer, `s${at}-${each}`)),
    ),
  );
  const leases = outcomes.flatMap((outcome) => (outcome?.kind === 'leased' ? [outcome.lease] : []));
  expect(leases).toHaveLength(200);
  expect(new Set(leases.map(({ first }) => first)).size).toBe(200);
  expect(new Set(leases.map(({ prefix }) => prefix)).size).toBe(200);
  // Nothing lies unused in between: who lost a race took the next one.
  expect(Math.max(...leases.map(({ first }) => first))).toBe(8192 + 199);
  const { spec } = await slowClient(9).get(allocationResource, 'segment.site');
  expect(spec.leases).toHaveLength(200);
  expect(spec.serial).toBe(200);
});

test('changes that wait are one write, and one that is refused does not keep the others', async () => {
  const client = createInProcessClient(api, internalIdentity('test'));
  const writer = createAllocationWriter({ client });
  const before = store.revision;
  const results = await Promise.allSettled([
    lease(writer, 'a'),
    ...Array.from({ length: 50 }, (_, each) => lease(writer, `b${each}`)),
    writer.change('segment.site', () => {
      throw new TaplineError('vnis_exhausted', 'none left');
    }),
  ]);
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(51);
  expect(results.at(-1)).toMatchObject({ reason: { code: 'vnis_exhausted' } });
  expect(store.revision - before).toBeLessThanOrEqual(2);
});
