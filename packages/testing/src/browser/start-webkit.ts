import { TaplineError } from '@tapline/base';
import { existsSync, globSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { haveProgram } from '../have-program.ts';
import { startProcess } from '../start-process.ts';

/** A page in WebKit; disposing it ends the browser. */
export interface WebkitPage extends AsyncDisposable {
  /**
   * The value of an expression in the page, awaited where it is a promise, as JSON has it. Throws
   * `page_error` with what the page threw.
   */
  evaluate<T>(expression: string): Promise<T>;
  /** Goes elsewhere, and waits until that is loaded. Throws `page_not_loaded`. */
  goTo(url: string): Promise<void>;
}

const programs = ['WebKitWebDriver', 'Xvfb'];
const scriptTimeoutMs = 600_000;

/** Why WebKit cannot be started here, for `describe.skipIf`; undefined where it can. */
export function webkitMissing(): string | undefined {
  const missing = programs.filter((program) => !haveProgram(program));
  if (miniBrowser() === undefined) missing.push('MiniBrowser of WebKitGTK');
  return missing.length === 0 ? undefined : missing.join(', ');
}

function miniBrowser(): string | undefined {
  const usual = '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser';
  return existsSync(usual) ? usual : globSync('/usr/lib/*/webkit2gtk-4.*/MiniBrowser')[0];
}

/** Starts WebKitGTK's small browser on a screen of its own, driven by WebDriver, and opens a page. */
export async function openWebkitPage(
  url: string,
  options: {
    /** Passes over whom a server's certificate is from: it cannot be told of one. */
    readonly trustAll?: boolean;
  } = {},
): Promise<WebkitPage> {
  const binary = miniBrowser();
  if (binary === undefined) throw new TaplineError('program_missing', 'WebKitGTK is not installed');
  await using opened = new AsyncDisposableStack();
  const port = await freePort();
  // Each by itself, as what `xvfb-run` starts outlives it when it is ended.
  const screen = opened.use(
    await startProcess('Xvfb', ['-displayfd', '1', '-screen', '0', '1024x768x24'], {
      readyLine: /^(\d+)$/m,
    }),
  );
  const driver = opened.use(
    await startProcess('WebKitWebDriver', [`--port=${port}`], {
      env: {
        DISPLAY: `:${screen.ready?.[1]}`,
        // Its sandbox needs namespaces that containers of tests lack; it opens pages of tests only.
        WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1',
        LIBGL_ALWAYS_SOFTWARE: '1',
      },
      readyUrl: `http://127.0.0.1:${port}/status`,
    }),
  );
  const base = `http://127.0.0.1:${port}/session`;

  async function ask(path: string, body?: unknown, method = 'POST'): Promise<unknown> {
    const response = await fetch(`${base}${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch((cause: unknown) => {
      throw new TaplineError('browser_ended', `WebKit is gone: ${driver.output().slice(-500)}`, {
        cause,
      });
    });
    const { value } = (await response.json()) as { readonly value: unknown };
    if (response.ok) return value;
    const { message = '' } = value as { readonly message?: string };
    throw new TaplineError('browser_refused', `${path}: ${message}`);
  }
  const session = (await ask('', {
    capabilities: {
      alwaysMatch: {
        ...(options.trustAll === true && { acceptInsecureCerts: true }),
        'webkitgtk:browserOptions': { binary, args: ['--automation'] },
      },
    },
  })) as { readonly sessionId: string };
  const id = `/${session.sessionId}`;
  opened.defer(async () => void (await ask(id, undefined, 'DELETE').catch(() => {})));
  await ask(`${id}/timeouts`, { script: scriptTimeoutMs, pageLoad: 60_000, implicit: 0 });

  async function goTo(to: string): Promise<void> {
    try {
      await ask(`${id}/url`, { url: to });
    } catch (cause) {
      throw new TaplineError('page_not_loaded', `${to} was not loaded`, { cause });
    }
  }
  await goTo(url);
  const owned = opened.move();
  return {
    async evaluate<T>(expression: string): Promise<T> {
      const script = `const done = arguments[arguments.length - 1];
        (async () => (${expression}))().then((value) => done({ value }), (error) => done({ error: String(error) }));`;
      const answer = (await ask(`${id}/execute/async`, { script, args: [] })) as {
        readonly value?: unknown;
        readonly error?: string;
      };
      if (answer.error !== undefined) throw new TaplineError('page_error', answer.error);
      return answer.value as T;
    },
    goTo,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
