import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { SpareShells } from './spare-shells.ts';

test('a shell takes its line with quotes and input, and tells its end', async () => {
  using shells = new SpareShells();
  for (const [line, output, code] of [
    ["printf '%s|' 'a  b' \"c\\d\"; exit 3", 'a  b|c\\d|', 3],
    ['cat', 'input', 0],
    ['kill -9 $$', '', 137],
  ] as const) {
    const shell = shells.run(line);
    shell.stdin.on('error', () => {});
    shell.stdin.end('input');
    shell.stderr.resume();
    expect([await text(shell.stdout), await shell.ended]).toEqual([output, code]);
  }
});

test('more shells at once than are spare', async () => {
  using shells = new SpareShells();
  const codes = [1, 2, 3].map((code) => {
    const shell = shells.run(`exit ${code}`);
    shell.stdout.resume();
    shell.stderr.resume();
    return shell.ended;
  });
  expect(await Promise.all(codes)).toEqual([1, 2, 3]);
});

test('the environment of this process is not passed on', async () => {
  process.env['TAPLINE_TEST_SECRET'] = 'secret';
  using shells = new SpareShells();
  const shell = shells.run('exec env');
  shell.stderr.resume();
  const environment = await text(shell.stdout);
  delete process.env['TAPLINE_TEST_SECRET'];
  expect(environment).toContain('PATH=');
  expect(environment).not.toContain('secret');
});
