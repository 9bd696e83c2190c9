import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRng, silentLog, systemClock } from '@tapline/base';
import { eventually, temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { createEdgeProgram, type EdgeProgram } from './edge-program.ts';
import { endEdge, readEdgeRecord } from './edge-record.ts';

/** A program with the manners of `tapline edge-cache serve`: it announces itself, and has its socket. */
const program = `
import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
const value = (name) => process.argv.find((one) => one.startsWith(name))?.slice(name.length);
const noteCertificate = () => {
  const file = value('--tls-certificate=');
  if (file !== undefined) appendFileSync(file + '.seen', readFileSync(file, 'utf8') + '\\n');
};
noteCertificate();
const socket = process.argv.find((one) => one.startsWith('--admin=')).slice('--admin='.length);
rmSync(socket, { force: true });
createServer((request, response) => {
  if (request.url === '/v1/reload') noteCertificate();
  response.end('{}');
}).listen(socket, () => {
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

test('an edge gets copies of its certificate that it can read, and each one that is renewed', async () => {
  await using folder = await temporaryFolder();
  const at = (name: string): string => join(folder.path, name);
  await writeFile(at('edge.mjs'), program);
  await Promise.all(['crt', 'key'].map((name) => writeFile(at(name), 'one', { mode: 0o600 })));
  const directory = at('edge');
  await using stack = new AsyncDisposableStack();
  stack.defer(() => endEdge(directory, { clock: systemClock }));
  const listen = { host: '127.0.0.1', port: 8080 };
  const settings = {
    listen,
    tls: { listen, certificateFile: at('crt'), keyFile: at('key') },
    memory: '1MB',
    diskSize: '1MB',
    program: [process.execPath, at('edge.mjs')],
    user: undefined,
  };
  const life = (): EdgeProgram =>
    createEdgeProgram({
      directory,
      name: 'e1',
      settings,
      onRestart: () => undefined,
      certificateMs: 20,
      clock: systemClock,
      rng: seededRng(1),
      log: silentLog,
    });
  const seen = async (): Promise<readonly string[]> =>
    (await readFile(join(directory, 'tls.crt.seen'), 'utf8')).trim().split('\n');
  {
    await using edge = life();
    await edge.serve('{}');
    expect(await seen()).toEqual(['one']);
    expect((await stat(join(directory, 'tls.key'))).mode & 0o777).toBe(0o600);
    await writeFile(at('crt'), 'two');
    await eventually('the second one', async () => (await seen()).includes('two'));
  }
  // What is renewed while no agent runs is taken up by the next one.
  await writeFile(at('crt'), 'three');
  await using next = life();
  await next.serve('{}');
  expect((await seen()).at(-1)).toBe('three');
});
