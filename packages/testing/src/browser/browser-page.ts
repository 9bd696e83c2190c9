import { TaplineError } from '@tapline/base';
import type { Devtools, DevtoolsAnswer, DevtoolsEvent } from './devtools.ts';

/** What a page is, or loads. */
export interface PageFile {
  readonly type: string;
  readonly body: string | Uint8Array;
}

/** A page in a browser; disposing closes it. */
export interface BrowserPage extends AsyncDisposable {
  /**
   * The value of an expression in the page, awaited where it is a promise, as JSON has it. Throws
   * `page_error` with what the page threw.
   */
  evaluate<T>(expression: string): Promise<T>;
  /** Goes elsewhere, and waits until that is loaded. Throws `page_not_loaded`. */
  goTo(url: string): Promise<void>;
  /** What it wrote to its console, what it did not catch, and what it could not load; in order. */
  console(): readonly string[];
  /** Answers these, by their URLs, in place of their servers. */
  serve(files: ReadonlyMap<string, PageFile>): Promise<void>;
  /** PNG. */
  screenshot(): Promise<Uint8Array>;
  /** Any other command of the Chrome DevTools Protocol, for this page. */
  send(method: string, params?: Readonly<Record<string, unknown>>): Promise<DevtoolsAnswer>;
}

interface RemoteObject {
  readonly value?: unknown;
  readonly unserializableValue?: string;
  readonly description?: string;
}

interface ExceptionDetails {
  readonly text: string;
  readonly exception?: RemoteObject;
}

/** Takes over a target that the browser has made. */
export async function attachPage(devtools: Devtools, targetId: string): Promise<BrowserPage> {
  const attached = await devtools.send('Target.attachToTarget', { targetId, flatten: true });
  const sessionId = attached['sessionId'] as string;
  const lines: string[] = [];
  const served = new Map<string, PageFile>();

  function send(
    method: string,
    params?: Readonly<Record<string, unknown>>,
  ): Promise<DevtoolsAnswer> {
    return devtools.send(method, params, sessionId);
  }

  const stopListening = devtools.listen((event) => {
    if (event.sessionId !== sessionId) return;
    const line = lineOf(event);
    if (line !== undefined) lines.push(line);
    if (event.method === 'Fetch.requestPaused') void fulfil(event).catch(() => undefined);
  });
  await Promise.all([send('Page.enable'), send('Runtime.enable'), send('Log.enable')]);

  /** A page that was closed meanwhile needs no answer. */
  async function fulfil({ params }: DevtoolsEvent): Promise<void> {
    const { requestId, request } = params as { requestId: string; request: { url: string } };
    const file = served.get(request.url);
    if (file === undefined) {
      await send('Fetch.continueRequest', { requestId });
      return;
    }
    await send('Fetch.fulfillRequest', {
      requestId,
      responseCode: 200,
      responseHeaders: [{ name: 'Content-Type', value: file.type }],
      body: Buffer.from(file.body).toString('base64'),
    });
  }

  async function goTo(url: string): Promise<void> {
    const loaded = Promise.withResolvers<void>();
    const stopWaiting = devtools.listen((event) => {
      if (event.sessionId === sessionId && event.method === 'Page.loadEventFired') loaded.resolve();
    });
    try {
      const answer = await send('Page.navigate', { url });
      const errorText = answer['errorText'] as string | undefined;
      if (errorText !== undefined) {
        const problem = `${url} was not loaded: ${errorText}`;
        throw new TaplineError('page_not_loaded', problem);
      }
      await loaded.promise;
    } finally {
      stopWaiting();
    }
  }

  return {
    async evaluate<T>(expression: string): Promise<T> {
      const options = { awaitPromise: true, returnByValue: true, userGesture: true };
      const answer = await send('Runtime.evaluate', { expression, ...options });
      const thrown = answer['exceptionDetails'] as ExceptionDetails | undefined;
      if (thrown !== undefined) throw new TaplineError('page_error', describe(thrown));
      return (answer['result'] as RemoteObject).value as T;
    },
    goTo,
    async serve(files) {
      for (const [url, file] of files) served.set(url, file);
      await send('Fetch.enable', {
        patterns: [...served.keys()].map((url) => ({ urlPattern: url })),
      });
    },
    console: () => lines,
    async screenshot() {
      const { data } = await send('Page.captureScreenshot', { format: 'png' });
      return Buffer.from(data as string, 'base64');
    },
    send,
    async [Symbol.asyncDispose]() {
      stopListening();
      await devtools.send('Target.closeTarget', { targetId }).catch((error: unknown) => {
        // It may have been closed, or have gone with its browser: it is not there either way.
        if (!(error instanceof TaplineError)) throw error;
      });
    },
  };
}

function lineOf({ method, params }: DevtoolsEvent): string | undefined {
  switch (method) {
    case 'Runtime.consoleAPICalled':
      return (params['args'] as readonly RemoteObject[]).map(textOf).join(' ');
    case 'Runtime.exceptionThrown':
      return describe(params['exceptionDetails'] as ExceptionDetails);
    case 'Log.entryAdded': {
      const { text, url = '' } = params['entry'] as { text: string; url?: string };
      return `${text} ${url}`.trim();
    }
    default:
      return undefined;
  }
}

function textOf(argument: RemoteObject): string {
  if (typeof argument.value === 'string') return argument.value;
  if (argument.value !== undefined) return JSON.stringify(argument.value);
  return argument.unserializableValue ?? argument.description ?? 'undefined';
}

function describe({ text, exception }: ExceptionDetails): string {
  return exception === undefined ? text : `${text} ${textOf(exception)}`;
}
