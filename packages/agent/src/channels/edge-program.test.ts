import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRng, silentLog, systemClock } from '@tapline/base';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { createEdgeProgram, type EdgeProgram } from './edge-program.ts';
import { endEdge, readEdgeRecord } from './edge-record.ts';

/** A program with the manners of `tapline edge-cache serve`: it announces itself, and has its socket. */
const program = `
import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
const socket = process.argv.find((one) => one.startsWith('--admin=')).slice('--admin='.length);
rmSync(socket, { force: true });
createServer((_request, response) => response.end('{}')).listen(socket, () => {
  process.stdout.write('tapline edge cache ready at http://127.0.0.1:1\\n');
});
process.on('SIGTERM', () => process.exit(0));
`;

test('an edge outlives its agent, is taken up again as it was, and started anew otherwise', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'edge.mjs');
  await writeFile(file, program);
  const directory = join(folder.path, 'edge');
  await using stack = new AsyncDisposableStack();
  stack.defer(() => endEdge(directory, { clock: systemClock }));
  const life = (memory: string): EdgeProgram =>
    createEdgeProgram({
      directory,
      name: 'e1',
      settings: {
        listen: { host: '127.0.0.1', port: 8080 },
        memory,
        diskSize: '1MB',
        program: [process.execPath, file],
        user: undefined,
      },
      onRestart: () => undefined,
      clock: systemClock,
      rng: seededRng(1),
      log: silentLog,
    });
  const pidBy = async (memory: string): Promise<number | undefined> => {
    await using agent = life(memory);
    await agent.serve('{"channels":[]}');
    expect(agent.url).toBe('http://127.0.0.1:1');
    return (await readEdgeRecord(directory))?.pid;
  };

  const first = await pidBy('1MB');
  expect(await pidBy('1MB')).toBe(first);
  const second = await pidBy('2MB');
  expect(second).not.toBe(first);
  await endEdge(directory, { clock: systemClock });
  expect(await readEdgeRecord(directory)).toBeUndefined();
});
