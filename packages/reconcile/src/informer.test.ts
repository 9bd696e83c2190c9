import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AsyncQueue, ManualClock, seededRng, silentLog, TaplineError } from '@tapline/base';
import type { ResourceClient, WatchEvent } from '@tapline/client';
import { type Token, tokenResource, type TokenSpec } from '@tapline/resources';
import { createInformer, type Informer } from './informer.ts';
import { createReconciler, watch } from './reconciler.ts';

const spec: TokenSpec = {
  purpose: 'Join',
  hash: 'a'.repeat(64),
  expiresAt: '2026-01-01T00:00:00Z',
  uses: 1,
  role: 'device',
};

interface Logged {
  readonly revision: number;
  readonly event: WatchEvent<Token> & { readonly object: Token };
}

/**
 * Tokens in memory behind list and watch as Kubernetes has them: revisions, history that can be
 * compacted, watches that can break, and a replica that lags.
 */
class TokenApi {
  revision = 0;
  compacted = 0;
  /** How far behind the replica is that the next lists and watches reach. */
  lag = 0;
  unavailable = false;
  readonly history: Logged[] = [];
  readonly #watches = new Set<AsyncQueue<WatchEvent<Token>>>();

  readonly client = {
    list: async () => {
      if (this.unavailable) throw new TaplineError('unavailable', 'no answer');
      const revision = Math.max(this.compacted, this.revision - this.lag);
      return { items: [...this.at(revision).values()], resourceVersion: String(revision) };
    },
    watch: (_definition: unknown, options: { resourceVersion?: string; signal?: AbortSignal }) =>
      this.#watch(Number(options.resourceVersion ?? 0), options.signal),
  } as unknown as ResourceClient;

  at(revision: number): Map<string, Token> {
    const state = new Map<string, Token>();
    for (const { revision: at, event } of this.history) {
      if (at > revision) break;
      if (event.kind === 'deleted') state.delete(event.object.metadata.name);
      else state.set(event.object.metadata.name, event.object);
    }
    return state;
  }

  put(name: string, uses: number): Token {
    const existing = this.at(this.revision).get(name);
    const uid = existing?.metadata.uid ?? `${name}-${this.revision + 1}`;
    return this.#log(existing === undefined ? 'added' : 'modified', {
      apiVersion: 'tapline.dev/v1alpha1',
      kind: 'Token',
      metadata: { name, uid },
      spec: { ...spec, uses },
    });
  }

  delete(name: string): void {
    const existing = this.at(this.revision).get(name);
    if (existing !== undefined) this.#log('deleted', existing);
  }

  compact(): void {
    this.compacted = this.revision;
  }

  /** Breaks all watches; `expired` as a server does whose history moved on. */
  disconnect(error?: TaplineError): void {
    for (const queue of this.#watches) queue.close(error);
    this.#watches.clear();
  }

  #log(kind: 'added' | 'modified' | 'deleted', object: Token): Token {
    this.revision += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.revision) };
    const logged = { revision: this.revision, event: { kind, object: { ...object, metadata } } };
    this.history.push(logged);
    for (const queue of this.#watches) queue.push(logged.event);
    return logged.event.object;
  }

  async *#watch(after: number, signal: AbortSignal | undefined): AsyncGenerator<WatchEvent<Token>> {
    if (this.unavailable) throw new TaplineError('unavailable', 'no answer');
    if (after < this.compacted) throw new TaplineError('expired', `revision ${after} is compacted`);
    const queue = new AsyncQueue<WatchEvent<Token>>();
    for (const { revision, event } of this.history) if (revision > after) queue.push(event);
    this.#watches.add(queue);
    signal?.addEventListener('abort', () => queue.close(), { once: true });
    yield* queue;
  }
}

function follow(api: TokenApi): { clock: ManualClock; informer: Informer<Token, 'uses'> } {
  const clock = new ManualClock();
  const informer = createInformer(api.client, tokenResource, {
    clock,
    rng: seededRng(1),
    log: silentLog,
    indexes: { uses: ({ spec: { uses } }: Token) => [String(uses)] },
  });
  return { clock, informer };
}

/** Lets what is due now begin to wait before time goes by. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await clock.advance(0);
  await clock.advance(ms);
}

function names(objects: Iterable<Token>): string[] {
  return [...objects].map(({ metadata, spec: { uses } }) => `${metadata.name}=${uses}`).toSorted();
}

describe('createInformer', () => {
  it('lists, follows, indexes and tells', async () => {
    const api = new TokenApi();
    api.put('a', 1);
    const { clock, informer } = follow(api);
    const told: string[] = [];
    informer.onChange(({ kind, object }) => told.push(`${kind} ${object.metadata.name}`));
    expect(informer.isSynced).toBe(false);
    await informer.synced;
    api.put('b', 1);
    api.put('a', 2);
    api.delete('b');
    await clock.advance(0);
    expect(told).toEqual(['added a', 'added b', 'modified a', 'deleted b']);
    expect(names(informer.byIndex('uses', '2'))).toEqual(['a=2']);
    expect(informer.byIndex('uses', '1')).toEqual([]);
    await informer[Symbol.asyncDispose]();
  });

  it('goes on from where a broken watch was, with a pause', async () => {
    const api = new TokenApi();
    const { clock, informer } = follow(api);
    await informer.synced;
    await clock.advance(0);
    api.disconnect();
    api.put('a', 1);
    await clock.advance(0);
    expect(names(informer.list())).toEqual([]);
    await pass(clock, 50);
    expect(names(informer.list())).toEqual(['a=1']);
    await informer[Symbol.asyncDispose]();
  });

  it('lists again when its place in history is gone', async () => {
    const api = new TokenApi();
    api.put('a', 1);
    api.put('b', 1);
    const { clock, informer } = follow(api);
    await informer.synced;
    await clock.advance(0);
    api.disconnect();
    api.delete('a');
    api.put('c', 1);
    api.compact();
    await pass(clock, 1000);
    expect(names(informer.list())).toEqual(['b=1', 'c=1']);
    await informer[Symbol.asyncDispose]();
  });

  it('waits longer and longer while the API is away', async () => {
    const api = new TokenApi();
    api.unavailable = true;
    const { clock, informer } = follow(api);
    await pass(clock, 120_000);
    expect(informer.isSynced).toBe(false);
    api.unavailable = false;
    await pass(clock, 30_000);
    expect(informer.isSynced).toBe(true);
    await informer[Symbol.asyncDispose]();
  });

  it.each([
    ['brought something', 0],
    ['went on for a while', 10_000],
  ])('is back at once after each cut of a watch that %s', async (_how, livesMs) => {
    const api = new TokenApi();
    const { clock, informer } = follow(api);
    await informer.synced;
    await clock.advance(0);
    for (let cut = 1; cut <= 20; cut += 1) {
      if (livesMs === 0) api.put('a', cut);
      await pass(clock, livesMs);
      api.disconnect(new TaplineError('unavailable', 'the watch was cut'));
      await pass(clock, 50);
      await clock.advance(0);
    }
    api.put('b', 1);
    await clock.advance(0);
    expect(names(informer.list())).toContain('b=1');
    await informer[Symbol.asyncDispose]();
  });

  it('tells who waits for it that it was stopped', async () => {
    const api = new TokenApi();
    api.unavailable = true;
    const { informer } = follow(api);
    await informer[Symbol.asyncDispose]();
    await expect(informer.synced).rejects.toMatchObject({ code: 'stopped' });
  });

  it('keeps a listener’s fault to itself', async () => {
    const api = new TokenApi();
    const { clock, informer } = follow(api);
    const told: string[] = [];
    informer.onChange(() => {
      throw new Error('broken');
    });
    informer.onChange(({ object }) => told.push(object.metadata.name));
    await informer.synced;
    api.put('a', 1);
    await clock.advance(0);
    expect(told).toEqual(['a']);
    await informer[Symbol.asyncDispose]();
  });

  it('ends up with what the API has and never goes back, whatever breaks', async () => {
    const action = fc.record({
      kind: fc.constantFrom(
        'put',
        'delete',
        'break',
        'expire',
        'compact',
        'lag',
        'away',
        'observe',
      ),
      name: fc.constantFrom('a', 'b', 'c'),
      uses: fc.integer({ min: 1, max: 9 }),
      pauseMs: fc.nat(200),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 40 }), async (actions) => {
        const api = new TokenApi();
        const { clock, informer } = follow(api);
        const newest = new Map<string, number>();
        let wentBack = false;
        informer.onChange(({ kind, object }) => {
          const { name, resourceVersion } = object.metadata;
          const last = newest.get(name) ?? 0;
          wentBack ||= kind !== 'deleted' && Number(resourceVersion) <= last;
          newest.set(name, Math.max(last, Number(resourceVersion)));
        });
        for (const { kind, name, uses, pauseMs } of actions) {
          if (kind === 'put') api.put(name, uses);
          else if (kind === 'delete') api.delete(name);
          else if (kind === 'break') api.disconnect();
          else if (kind === 'expire') api.disconnect(new TaplineError('expired', 'too old'));
          else if (kind === 'compact') api.compact();
          else if (kind === 'lag') api.lag = uses % 4;
          else if (kind === 'away') api.unavailable = uses > 5;
          else informer.observe(api.put(name, uses));
          await clock.advance(pauseMs);
        }
        api.unavailable = false;
        api.lag = 0;
        await pass(clock, 120_000);
        expect(names(informer.list())).toEqual(names(api.at(api.revision).values()));
        expect(wentBack).toBe(false);
        await informer[Symbol.asyncDispose]();
      }),
      { numRuns: 100 },
    );
  });
});

describe('createReconciler', () => {
  it('passes over everything once the cache is full, and converges after disconnections', async () => {
    const api = new TokenApi();
    api.put('a', 1);
    api.put('b', 1);
    const { clock, informer } = follow(api);
    const passes: { outcome: string }[] = [];
    const seen = new Map<string, number | undefined>();
    const reconciler = createReconciler({
      name: 'token',
      clock,
      rng: seededRng(1),
      log: silentLog,
      metrics: { observe: (observed) => passes.push(observed) },
      watches: [watch(informer, ({ object }, enqueue) => enqueue(object.metadata.name))],
      reconcile: async (key, { failures }) => {
        expect(informer.isSynced).toBe(true);
        if (key === 'b' && failures === 0) throw new TaplineError('unavailable', 'once');
        seen.set(key, informer.get(key)?.spec.uses);
        return { done: true };
      },
    });
    await reconciler.started;
    await pass(clock, 1000);
    expect(Object.fromEntries(seen)).toEqual({ a: 1, b: 1 });
    expect(passes.map(({ outcome }) => outcome).toSorted()).toEqual(['done', 'done', 'error']);
    api.disconnect();
    api.put('a', 5);
    api.delete('b');
    api.compact();
    await pass(clock, 1000);
    expect(Object.fromEntries(seen)).toEqual({ a: 5, b: undefined });
    await reconciler[Symbol.asyncDispose]();
    api.put('a', 6);
    await pass(clock, 1000);
    expect(seen.get('a')).toBe(5);
    await informer[Symbol.asyncDispose]();
  });
});
