import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../eventually.ts';
import { type Browser, browserProgram, startBrowser } from './start-browser.ts';

const missing = browserProgram() === undefined;

describe.skipIf(missing)('a browser', () => {
  const server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html').end('<title>one</title><p>hello');
  });
  let browser: Browser;
  let url: string;

  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    browser = await startBrowser();
  });

  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    server.close();
  });

  test('loads a page, evaluates in it and hears its console', async () => {
    await using page = await browser.open(url);
    expect(await page.evaluate('document.body.textContent')).toBe('hello');
    expect(await page.evaluate('Promise.resolve({ secure: isSecureContext })')).toEqual({
      secure: true,
    });
    await expect(page.evaluate('Promise.reject(new Error("no disk"))')).rejects.toMatchObject({
      code: 'page_error',
      message: expect.stringContaining('no disk'),
    });
    await page.evaluate('console.log("a", 1, { b: 2 }); setTimeout(() => { throw 7 })');
    await eventually('the console', () => page.console().some((line) => line.includes('7')));
    expect(page.console()[0]).toMatch(/^a 1 /);
    const png = await page.screenshot();
    expect(Buffer.from(png.subarray(1, 4)).toString()).toBe('PNG');
  });

  test('keeps what profiles store apart, and what pages of one store together', async () => {
    await using first = await browser.open(url, { profile: 'a' });
    await first.evaluate('void localStorage.setItem("key", "kept")');
    await using second = await browser.open(url, { profile: 'a' });
    await using stranger = await browser.open(url, { profile: 'b' });
    expect(await second.evaluate('localStorage.getItem("key")')).toBe('kept');
    expect(await stranger.evaluate('localStorage.getItem("key")')).toBeNull();
  });

  test('says when a page cannot be loaded', async () => {
    await expect(browser.open('http://127.0.0.1:1/')).rejects.toMatchObject({
      code: 'page_not_loaded',
    });
  });

  test('ends with the process that started it', async () => {
    const module = join(import.meta.dirname, 'start-browser.ts');
    const script = `const { startBrowser } = await import(${JSON.stringify(module)});
      console.log((await startBrowser()).pid); setInterval(() => {}, 1000)`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    child.kill('SIGKILL');
    expect(await eventually('its end', () => !isAlive(Number(line.toString())))).toBe(true);
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // ESRCH: it has ended.
    return false;
  }
}
