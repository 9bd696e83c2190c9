import { TaplineError } from '@tapline/base';
import { openMemoryStore, type Store } from '@tapline/store';
import { expect, test, vi } from 'vitest';
import { serveForTest } from '../testing/serve-for-test.ts';

const devices = '/apis/tapline.dev/v1alpha1/devices';

/** A store whose first watch of everything can be made to fail, as compaction that overtakes it does. */
function losingStore(store: Store): { readonly store: Store; readonly lose: () => void } {
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => undefined);
  let watches = 0;
  const wrapped: Store = {
    get revision() {
      return store.revision;
    },
    get compactedRevision() {
      return store.compactedRevision;
    },
    get: (key) => store.get(key),
    getSync: (key) => store.getSync(key),
    list: (options) => store.list(options),
    write: (operations) => store.write(operations),
    compact: (revision) => store.compact(revision),
    watch(options) {
      const watch = store.watch(options);
      watches += 1;
      if (watches > 1) return watch;
      return {
        get revision() {
          return watch.revision;
        },
        async *[Symbol.asyncIterator]() {
          const batches = watch[Symbol.asyncIterator]();
          for (;;) {
            const next = await Promise.race([batches.next(), lost.promise]);
            if (next.done === true) return;
            yield next.value;
          }
        },
      };
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
  return {
    store: wrapped,
    lose: () => lost.reject(new TaplineError('watch_too_slow', 'overtaken')),
  };
}

test('a server that loses its place ends watches with 410 and reads roles and indexes again', async () => {
  const { store, lose } = losingStore(openMemoryStore());
  await using server = await serveForTest({ store });
  const viewer = await server.token('vic', ['tapline:viewer']);
  const answer = await fetch(`${server.url}${devices}?watch=true`, {
    headers: { authorization: `Bearer ${viewer}` },
  });
  lose();
  expect(JSON.parse(await answer.text())).toMatchObject({
    type: 'ERROR',
    object: { kind: 'Status', code: 410, reason: 'Expired' },
  });
  await vi.waitFor(async () => {
    expect((await server.send('GET', devices, { bearer: viewer })).status).toBe(200);
  });
  const bindings = '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings';
  await server.send('DELETE', `${bindings}/viewer`);
  await vi.waitFor(async () => {
    expect((await server.send('GET', devices, { bearer: viewer })).status).toBe(403);
  });
});
