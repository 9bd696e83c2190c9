import { spawn } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { TaplineError } from '@tapline/base';
import { haveProgram } from '../have-program.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { attachPage, type BrowserPage, type PageFile } from './browser-page.ts';
import { Devtools } from './devtools.ts';

export interface Browser extends AsyncDisposable {
  readonly pid: number;
  /**
   * A new page, loaded. Pages of one profile share what they store; each browser has a default one
   * that is empty at first. Throws `page_not_loaded`.
   */
  open(url: string, options?: OpenPageOptions): Promise<BrowserPage>;
}

export interface OpenPageOptions {
  readonly profile?: string;
  /** Answered by the browser itself, by their URLs, so that a page can be of any server's origin. */
  readonly files?: ReadonlyMap<string, PageFile>;
}

export interface StartBrowserOptions {
  /** Certificates of servers, in PEM, whose faults are passed over; of all others none is. */
  readonly trust?: readonly string[];
  /** Further flags of Chromium's. */
  readonly args?: readonly string[];
}

// The first starts in a third of the second's time; both are built from the same sources.
const programs = ['chromium-headless-shell', 'chromium'];
const stopWithinMs = 5000;

/** The browser that `startBrowser` would start, for `describe.skipIf`. */
export function browserProgram(): string | undefined {
  return programs.find(haveProgram);
}

/**
 * Starts Chromium without a window, with a profile of its own. It is spoken to through pipes, so it
 * opens no port, and it ends by itself where the process that started it is killed.
 */
export async function startBrowser(options: StartBrowserOptions = {}): Promise<Browser> {
  const program = browserProgram();
  if (program === undefined) {
    throw new TaplineError('program_missing', `none of ${programs.join(', ')} is installed`);
  }
  const { trust = [], args = [] } = options;
  const folder = await temporaryFolder();
  const child = spawn(
    program,
    [
      '--headless',
      '--remote-debugging-pipe',
      `--user-data-dir=${folder.path}`,
      '--no-first-run',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-dev-shm-usage',
      // Pages that are served by the browser itself come from no address, and may ask loopback ones.
      '--disable-features=LocalNetworkAccessChecks',
      // Root has no sandbox; containers that run tests mostly are root.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      ...(trust.length === 0
        ? []
        : [`--ignore-certificate-errors-spki-list=${trust.map(keyHash).join(',')}`]),
      ...args,
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  );
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  try {
    await once(child, 'spawn');
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
  const devtools = new Devtools({
    commands: child.stdio[3] as Writable,
    messages: child.stdio[4] as Readable,
  });
  const contexts = new Map<string, Promise<string>>();

  async function newContext(): Promise<string> {
    const made = await devtools.send('Target.createBrowserContext');
    return made['browserContextId'] as string;
  }

  function contextOf(profile: string): Promise<string> {
    const context = contexts.get(profile) ?? newContext();
    contexts.set(profile, context);
    return context;
  }

  async function stop(): Promise<void> {
    await devtools.send('Browser.close').catch(() => undefined);
    await Promise.race([exited, delay(stopWithinMs, undefined, { ref: false })]);
    child.kill('SIGKILL');
    await exited;
    await folder[Symbol.asyncDispose]();
  }

  try {
    await devtools.send('Browser.getVersion');
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    pid: child.pid ?? 0,
    async open(url, { profile, files } = {}) {
      const context = profile === undefined ? {} : { browserContextId: await contextOf(profile) };
      const made = await devtools.send('Target.createTarget', { url: 'about:blank', ...context });
      const page = await attachPage(devtools, made['targetId'] as string);
      try {
        if (files !== undefined) await page.serve(files);
        await page.goTo(url);
        return page;
      } catch (error) {
        await page[Symbol.asyncDispose]();
        throw error;
      }
    },
    [Symbol.asyncDispose]: stop,
  };
}

/** As Chromium names keys: SHA-256 of SubjectPublicKeyInfo. */
function keyHash(certificatePem: string): string {
  const { publicKey } = new X509Certificate(certificatePem);
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('base64');
}
