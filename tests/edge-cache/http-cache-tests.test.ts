import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type CacheEngine,
  type ChannelSettings,
  channelSettings,
  startEdgeCache,
  startVarnish,
} from '@tapline/edge-cache';
import { haveProgram, type StartedProcess, startProcess, temporaryFolder } from '@tapline/testing';
import { describe, test } from 'vitest';

const run = promisify(execFile);
const suite = dirname(fileURLToPath(import.meta.resolve('http-cache-tests/package.json')));
const runner = join(import.meta.dirname, 'run-cache-tests.ts');

interface Outcome {
  readonly kind: string;
  readonly passed: boolean;
  readonly why: string;
}

/** They ask for a 200 that comes neither from the cache nor from an origin that cuts the connection. */
const impossible: ReadonlySet<string> = new Set([
  'stale-close-must-revalidate',
  'stale-close-proxy-revalidate',
  'stale-close-no-cache',
  'stale-close-s-maxage=2',
]);

/** Varnish gives up on a body in a transfer coding that it does not know, before any VCL is asked. */
const beforeVcl: ReadonlySet<string> = new Set(['headers-store-Transfer-Encoding']);

/** The suite's own origin. */
function startSuiteOrigin(folder: string): Promise<StartedProcess> {
  return startProcess(process.execPath, [join(suite, 'server/server.mjs')], {
    cwd: suite,
    env: {
      npm_config_protocol: 'http',
      npm_config_port: '0',
      npm_config_pidfile: join(folder, 'pid'),
    },
    readyLine: /Listening on http:\/\/.*:(\d+)\//,
  });
}

async function runSuite(
  start: (channel: ChannelSettings, folder: string) => Promise<CacheEngine>,
  settings: Partial<ChannelSettings>,
): Promise<Readonly<Record<string, Outcome>>> {
  await using folder = await temporaryFolder();
  await using origin = await startSuiteOrigin(folder.path);
  const channel = channelSettings({
    name: 'suite',
    origins: [`http://127.0.0.1:${origin.ready?.[1] ?? ''}`],
    forwardedFields: 'all',
    honourRequestDirectives: true,
    breaker: { failures: 1_000_000, openMs: 1 },
    retries: 0,
    defaults: { playlistMs: 0, segmentMs: 0, negativeMs: 0 },
    ...settings,
  });
  await using engine = await start(channel, folder.path);
  const { stdout } = await run(process.execPath, ['--no-warnings', runner, engine.url], {
    maxBuffer: 16 * 1024 * 1024,
  });
  return JSON.parse(stdout) as Readonly<Record<string, Outcome>>;
}

function failedRequired(outcomes: Readonly<Record<string, Outcome>>): readonly string[] {
  return Object.entries(outcomes)
    .filter(([id, { kind, passed }]) => kind === 'required' && !passed && !impossible.has(id))
    .map(([id, { why }]) => `${id}: ${why}`);
}

function passedOf(outcomes: Readonly<Record<string, Outcome>>): number {
  return Object.values(outcomes).filter((outcome) => outcome.passed).length;
}

/** By `TAPLINE_SHOW_FAILED=1`: every test that failed, and how many passed. */
function show(engine: string, outcomes: Readonly<Record<string, Outcome>>): void {
  if (process.env['TAPLINE_SHOW_FAILED'] !== '1') return;
  const failed = Object.entries(outcomes)
    .filter(([, { passed }]) => !passed)
    .map(([id, { kind, why }]) => `${engine} ${kind} ${id}: ${why}`);
  process.stdout.write(`${failed.join('\n')}\n${engine} passed ${passedOf(outcomes)}\n`);
}

// Side by side: both mostly wait.
describe.concurrent('http-cache-tests', () => {
  test(
    'the edge cache passes what is required, and 290 in all',
    { timeout: 180_000 },
    async ({ expect }) => {
      const outcomes = await runSuite((channel) => startEdgeCache({ channels: [channel] }), {
        storeSetCookie: true,
      });
      show('edge', outcomes);
      expect(failedRequired(outcomes)).toEqual([]);
      expect(Object.keys(outcomes).length).toBeGreaterThanOrEqual(350);
      expect(passedOf(outcomes)).toBeGreaterThanOrEqual(290);
    },
  );

  // Published for Varnish 218, with its own configuration; docs/decisions/0040-edge-cache.md has the rest.
  test.skipIf(!haveProgram('varnishd'))(
    'Varnish by our configuration passes what its core lets it of the required, and 290 in all',
    { timeout: 180_000 },
    async ({ expect }) => {
      const outcomes = await runSuite(
        (channel, directory) => startVarnish({ channels: [channel], directory }),
        { staleIfErrorMs: 0, storeSetCookie: true },
      );
      show('varnish', outcomes);
      const failed = failedRequired(outcomes).filter(
        (line) => !beforeVcl.has(line.slice(0, line.indexOf(':'))),
      );
      expect(failed).toEqual([]);
      expect(passedOf(outcomes)).toBeGreaterThanOrEqual(290);
    },
  );
});
