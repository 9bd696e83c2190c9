import { eventually } from '@tapline/testing';
import { expect, test } from 'vitest';
import type { StartedProgram } from './start-program.ts';
import { startProgram } from './start-program.ts';
import { SparePrograms } from './spare-programs.ts';

function programs(): { readonly spares: SparePrograms; readonly started: StartedProgram[] } {
  const started: StartedProgram[] = [];
  const spares = new SparePrograms((command) => {
    // What it would be on a node; here it only has to wait for its input as that does.
    const program = startProgram(['nft', 'ip'].includes(command[0]) ? ['cat'] : command);
    started.push(program);
    return program;
  });
  return { spares, started };
}

test('after one batch the next one has a program that waits already', async () => {
  const { spares, started } = programs();
  using _ = spares;
  const first = await spares.run(['nft', '-f', '-'], { stdin: 'one' });
  expect(first).toEqual({ code: 0, stdout: 'one', stderr: '' });
  expect(started).toHaveLength(1);
  expect([spares.startOne(), spares.startOne()]).toEqual([true, false]);
  expect(started).toHaveLength(2);
  const second = await spares.run(['nft', '-f', '-'], { stdin: 'two' });
  expect(second.stdout).toBe('two');
  expect(started[1]?.child.exitCode).toBe(0);
});

test('a spare that somebody ended is none, and the last one ends with its owner', async () => {
  const { spares, started } = programs();
  await spares.run(['nft', '-f', '-'], { stdin: 'one' });
  spares.startOne();
  started[1]?.child.kill('SIGKILL');
  await eventually('it is gone', () => started[1]?.child.signalCode === 'SIGKILL');
  await eventually('it is no spare', async () => {
    const { stdout } = await spares.run(['nft', '-f', '-'], { stdin: 'again' });
    spares.startOne();
    return stdout === 'again';
  });
  expect(started.length).toBeGreaterThan(2);
  spares[Symbol.dispose]();
  await eventually('all have ended', () =>
    started.every(({ child }) => child.exitCode !== null || child.signalCode !== null),
  );
});

test('what a change takes twice waits twice, and is started while one of them runs', async () => {
  const { spares, started } = programs();
  using _ = spares;
  await spares.run(['ip', '-batch', '-'], { stdin: 'one' });
  await spares.run(['ip', '-batch', '-'], { stdin: 'two' });
  // Two that ran, and a spare that was started beside the second.
  expect(started).toHaveLength(3);
  expect([spares.startOne(), spares.startOne()]).toEqual([true, false]);
  expect(started).toHaveLength(4);
});

test('programs that take no batch have no spare', async () => {
  const { spares, started } = programs();
  using _ = spares;
  expect(await spares.run(['cat'], { stdin: 'x' })).toMatchObject({ stdout: 'x' });
  expect(await spares.run(['/no/such/program'])).toMatchObject({ code: 127 });
  expect(started).toHaveLength(2);
});
