import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/**
 * Runs the public suite for caches against the edge at the URL given, in a process of its own because it
 * keeps its state in modules; prints its results as JSON: `{ id: { kind, passed, why } }`.
 */
interface CacheTest {
  readonly id: string;
  readonly kind?: string;
}
/** True, or the kind of the failure and what it says. */
type Result = true | readonly [string, string];

interface CacheSuite {
  readonly tests: readonly CacheTest[];
}

/** Tests under way at once: most of their time is waiting for something to become stale. */
const chunk = 200;
const [url = ''] = process.argv.slice(2);
const root = dirname(fileURLToPath(import.meta.resolve('http-cache-tests/package.json')));

/** The package has no types: it is checked where its values are used. */
async function load(path: string): Promise<Record<string, unknown>> {
  return (await import(pathToFileURL(join(root, path)).href)) as Record<string, unknown>;
}

const { runTests, getResults } = await load('client/runner.mjs');
const { default: suites } = await load('tests/index.mjs');
const { default: surrogate } = await load('tests/surrogate-control.mjs');
const nodeFetch = import.meta.resolve('node-fetch', pathToFileURL(join(root, 'cli.mjs')).href);
const { default: fetchOf } = (await import(nodeFetch)) as { readonly default: unknown };
const all = [...(suites as CacheSuite[]), surrogate as CacheSuite];
await (runTests as (...words: unknown[]) => Promise<void>)(all, fetchOf, false, url, chunk);
const { makeCacheTest, testResults } = await load('client/test.mjs');
const askAgain = makeCacheTest as (test: CacheTest) => Promise<void>;
const outcomesNow = getResults as () => Record<string, Result>;
// On a busy machine an answer may be stale before the suite asks for it again: a second of its life is
// all that some have. What was missed in the crowd is asked once more, by few.
const first = outcomesNow();
const missed = all
  .flatMap(({ tests }) => tests)
  .filter(({ id, kind = 'required' }) => kind === 'required' && (first[id] ?? true) !== true);
await Promise.all(
  missed.map((test) => {
    delete (testResults as Record<string, unknown>)[test.id];
    return askAgain(test);
  }),
);
const results = outcomesNow();
const report: Record<string, { kind: string; passed: boolean; why: string }> = {};
for (const { tests } of all) {
  for (const { id, kind = 'required' } of tests) {
    const result = results[id];
    if (result === undefined) continue;
    report[id] = { kind, passed: result === true, why: result === true ? '' : result.join(': ') };
  }
}
process.stdout.write(JSON.stringify(report), () => process.exit(0));
