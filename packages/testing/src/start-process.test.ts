import { createServer } from 'node:http';

import { expect, test } from 'vitest';

import { startProcess } from './start-process.ts';

function node(script: string): [string, string[]] {
  return [process.execPath, ['-e', script]];
}

test('is ready when a line matches, and hands the match out', async () => {
  const script = `console.log('listening on 4711'); setInterval(() => {}, 1000)`;
  const started = await startProcess(...node(script), { readyLine: /listening on (\d+)/ });
  expect(started.ready?.[1]).toBe('4711');
  expect(started.output()).toContain('listening');
  await started[Symbol.asyncDispose]();
  expect(await started.exited).toBeNull();
  expect(() => process.kill(started.pid, 0)).toThrow(/ESRCH/);
});

test('is ready when a URL answers', async () => {
  const script = `
    const server = require('node:http').createServer((_, response) => response.end('yes'));
    setTimeout(() => server.listen(Number(process.env.PORT), '127.0.0.1'), 200);`;
  // Reserve a port by binding and releasing it: the child has no other way to learn of it.
  const reserved = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => reserved.once('listening', resolve));
  const address = reserved.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await new Promise((resolve) => reserved.close(resolve));
  const url = `http://127.0.0.1:${port}/`;
  await using started = await startProcess(...node(script), {
    readyUrl: url,
    env: { PORT: String(port) },
  });
  expect(started.pid).toBeGreaterThan(0);
  expect(await (await fetch(url)).text()).toBe('yes');
});

test('tells with its output when a process ends before it is ready', async () => {
  const started = startProcess(...node(`console.error('no such disk'); process.exit(3)`), {
    readyLine: /never/,
  });
  await expect(started).rejects.toMatchObject({
    code: 'process_not_ready',
    message: expect.stringMatching(/ended with 3 .*no such disk/s),
  });
});

test('tells when a process is not ready in time, and ends it', async () => {
  const started = startProcess(...node('setInterval(() => {}, 1000)'), {
    readyLine: /never/,
    readyWithinMs: 200,
  });
  await expect(started).rejects.toMatchObject({ message: expect.stringContaining('200 ms') });
});

test('kills a process that does not heed SIGTERM', async () => {
  const script = `process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)`;
  const started = await startProcess(...node(script), { readyLine: /up/, stopWithinMs: 200 });
  await started[Symbol.asyncDispose]();
  expect(await started.exited).toBeNull();
  expect(() => process.kill(started.pid, 0)).toThrow(/ESRCH/);
});

test('fails for a program that does not exist', async () => {
  await expect(startProcess('/nonexistent/program', [])).rejects.toMatchObject({ code: 'ENOENT' });
});

test('stops waiting when aborted', async () => {
  const controller = new AbortController();
  const started = startProcess(...node('setInterval(() => {}, 1000)'), {
    readyLine: /never/,
    signal: controller.signal,
  });
  setTimeout(() => controller.abort(new Error('enough')), 100);
  await expect(started).rejects.toThrow(/abort/i);
});
