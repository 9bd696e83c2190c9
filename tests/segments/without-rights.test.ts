import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { helperProgram } from '@tapline/fabric';
import { eventually, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { buildNetwork } from './support/build-network.ts';
import { segmentsUnavailable } from './support/segments-unavailable.ts';
import { testIntent, testSegment, workloadNames } from './support/start-fabrics.ts';

const unavailable = segmentsUnavailable(['setpriv']);
const nobody = 65_534;
const program = fileURLToPath(
  new URL('../../packages/fabric/src/testing/run-fabric.ts', import.meta.url),
);

describe.skipIf(unavailable !== undefined)(`an agent that is not root ${unavailable ?? ''}`, () => {
  test('has its segments from the process that is, and comes to no other’s', async () => {
    await using folder = await temporaryFolder();
    await chmod(folder.path, 0o755);
    const names = ['n1', 'n2'];
    using network = buildNetwork(names, workloadNames(names.length));
    const [first] = network.nodes;
    const path = join(folder.path, 'run', 'fabric.sock');
    const keys = join(folder.path, 'keys');
    const helper = spawn(
      'nsenter',
      [
        `--net=/run/netns/${first?.namespace}`,
        process.execPath,
        '--disable-warning=ExperimentalWarning',
        helperProgram,
        '--listen',
        path,
        '--user',
        String(nobody),
        '--wireguard-key',
        join(keys, 'wireguard'),
        '--agreement-key',
        join(keys, 'agreement'),
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const ended = once(helper, 'close');
    try {
      await eventually('it listens', async () => {
        const found = await stat(path).catch(() => undefined);
        return found?.uid === nobody;
      });
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      const intent = JSON.stringify(testIntent(network, [testSegment(network)]));
      // Twice: the agent ends and comes again, and finds what it had.
      for (const isFirst of [true, false]) {
        const answer = await applied(nobody, { path, intent });
        expect(answer).toMatchObject({ user: nobody, outcome: { state: 'converged' }, left: [] });
        expect((answer['outcome'] as { operations: number }).operations > 0).toBe(isFirst);
      }
      // Somebody else's process may not as much as ask.
      expect(String((await applied(nobody - 1, { path, intent }))['error'])).toContain('EACCES');
    } finally {
      helper.kill('SIGKILL');
      await ended;
    }
  });

  test('a process with rights that would listen for nobody in particular ends with why', () => {
    const words = [helperProgram, '--listen', '/nowhere/fabric.sock', '--user', '0'];
    const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
    const why = expect.stringContaining('0 is no number of a user other than root') as string;
    expect([status, stderr]).toEqual([1, why]);
  });
});

async function applied(
  user: number,
  { path, intent }: { readonly path: string; readonly intent: string },
): Promise<Readonly<Record<string, unknown>>> {
  const words = [`--reuid=${user}`, `--regid=${user}`, '--clear-groups', process.execPath];
  const child = spawn('setpriv', [...words, program, 'n1', path], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  try {
    await lines.next();
    child.stdin.write(`${intent}\n`);
    return JSON.parse((await lines.next()).value ?? '{}') as Readonly<Record<string, unknown>>;
  } finally {
    child.stdin.end();
    await ended;
  }
}
