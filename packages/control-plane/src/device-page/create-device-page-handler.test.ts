import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { silentLog } from '@tapline/base';
import { temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDevicePageHandler } from './create-device-page-handler.ts';

const opened = new AsyncDisposableStack();
let page: string;
let off: string;

beforeAll(async () => {
  const { path } = opened.use(await temporaryFolder());
  const folder = join(path, 'page');
  await mkdir(folder);
  await writeFile(join(path, 'secret.txt'), 'not of the page');
  await writeFile(join(folder, 'index.html'), '<!doctype html><title>page</title>');
  await writeFile(join(folder, 'device.js'), 'export {};\n'.repeat(1000));
  page = await serve(folder);
  off = await serve(undefined);
});
afterAll(() => opened.disposeAsync());

async function serve(folder: string | undefined): Promise<string> {
  const server = createServer(createDevicePageHandler({ folder, log: silentLog }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  opened.defer(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('is closed unless it is wanted', async () => {
  const answer = await fetch(`${off}/device/`);
  expect(answer.status).toBe(404);
  expect(await answer.text()).toContain('tapline up --device-page');
});

test('serves its files with a policy that lets nothing else in', async () => {
  const answer = await fetch(`${page}/device/`);
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('<title>page</title>');
  expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
  const policy = answer.headers.get('content-security-policy') ?? '';
  expect(policy.split('; ')).toEqual(
    expect.arrayContaining([
      "default-src 'none'",
      "script-src 'self' 'wasm-unsafe-eval'",
      "connect-src 'self'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]),
  );
  // Nothing of elsewhere, whatever is added to it.
  expect(policy).not.toMatch(/https?:|\*/);
  expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
});

test('is sent once for each of its versions, and compressed', async () => {
  const first = await fetch(`${page}/device/device.js`);
  expect(first.headers.get('content-encoding')).toBe('gzip');
  expect(await first.text()).toHaveLength(11_000);
  expect(Number(first.headers.get('content-length'))).toBeLessThan(1000);
  const etag = first.headers.get('etag') ?? '';
  const again = await fetch(`${page}/device/device.js`, { headers: { 'if-none-match': etag } });
  expect(again.status).toBe(304);
  const plain = await fetch(`${page}/device/device.js`, {
    headers: { 'accept-encoding': 'identity' },
  });
  expect(plain.headers.get('content-encoding')).toBe(null);
});

test.each([
  ['GET', '/device', 308],
  ['HEAD', '/device/', 200],
  ['POST', '/device/', 405],
  ['GET', '/device/other.js', 404],
  ['GET', '/device/toString', 404],
  ['GET', '/device/..%2fsecret.txt', 404],
  ['GET', '/device//secret.txt', 404],
  // Part of the page, and not there: the program was not built whole.
  ['GET', '/device/device.css', 500],
])('%s %s: %i', async (method, path, status) => {
  const answer = await fetch(page + path, { method, redirect: 'manual' });
  expect(answer.status).toBe(status);
  expect(await answer.text()).not.toContain('not of the page');
});
