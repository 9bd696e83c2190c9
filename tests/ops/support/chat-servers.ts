import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@tapline/base';
import { loadKubeconfig } from '@tapline/client';
import type { ControlPlaneProcess } from '../../support/control-plane-process.ts';

interface Posted {
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** What is posted to Slack's webhooks and response URLs, in the shapes of its documentation. */
export async function startSlackWebhooks(): Promise<
  AsyncDisposable & { readonly url: string; readonly posted: readonly Posted[] }
> {
  const posted: Posted[] = [];
  const server = await listen((incoming, response) => {
    void read(incoming).then((text) => {
      posted.push({ path: incoming.url ?? '', body: JSON.parse(text) as Posted['body'] });
      return response.end('ok');
    });
  });
  return { ...server, posted };
}

/** Sends what Slack would, with its signature. */
export async function sendAsSlack(
  plane: ControlPlaneProcess,
  form: Readonly<Record<string, string>>,
  signing: { readonly secret: string; readonly seconds?: number },
): Promise<{
  readonly status: number;
  readonly text: string;
  readonly again: () => Promise<number>;
}> {
  const body = new URLSearchParams(form).toString();
  const timestamp = String(signing.seconds ?? Math.floor(systemClock.now() / 1000));
  const hmac = createHmac('sha256', signing.secret).update(`v0:${timestamp}:${body}`).digest('hex');
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'x-slack-request-timestamp': timestamp,
    'x-slack-signature': `v0=${hmac}`,
  };
  const { ca } = await loadKubeconfig(plane.kubeconfig);
  const send = async (): Promise<{ readonly status: number; readonly text: string }> => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const url = new URL('/ops/v1/slack', plane.url);
    request(url, { method: 'POST', headers, ...(ca !== undefined && { ca }) }, resolve)
      .on('error', reject)
      .end(body);
    const response = await promise;
    return { status: response.statusCode ?? 0, text: await read(response) };
  };
  return { ...(await send()), again: async () => (await send()).status };
}

interface Said {
  readonly event_id: string;
  readonly type: string;
  readonly sender: string;
  readonly content: { readonly msgtype: string; readonly body: string };
}

/** As much of a Matrix homeserver as one room takes, in the shapes of the client-server API. */
export async function startHomeserver(room: string): Promise<
  AsyncDisposable & {
    readonly url: string;
    readonly token: string;
    /** What the bot has sent, by transaction. */
    readonly sent: ReadonlyMap<string, string>;
    say(sender: string, body: string): void;
  }
> {
  const token = 'syt_for_tests';
  const events: Said[] = [];
  const sent = new Map<string, string>();
  let waiting: (() => void) | undefined;
  const server = await listen((incoming, response) => {
    const url = new URL(incoming.url ?? '/', 'http://localhost');
    const answer = (status: number, body: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    };
    if (incoming.headers.authorization !== `Bearer ${token}`) {
      return answer(401, { errcode: 'M_UNKNOWN_TOKEN', error: 'Unknown token' });
    }
    const [, transaction] =
      /^\/_matrix\/client\/v3\/rooms\/[^/]+\/send\/m\.room\.message\/(\w+)$/.exec(url.pathname) ??
      [];
    if (incoming.method === 'PUT' && transaction !== undefined) {
      void read(incoming).then((text) => {
        const { body } = JSON.parse(text) as { readonly body: string };
        if (!sent.has(transaction)) sent.set(transaction, body);
        return answer(200, { event_id: `$${transaction}` });
      });
      return undefined;
    }
    if (url.pathname !== '/_matrix/client/v3/sync')
      return answer(404, { errcode: 'M_UNRECOGNIZED' });
    const since = Number(url.searchParams.get('since')?.slice(1) ?? 0);
    const tell = (): void => {
      const timeline = { events: events.slice(since), limited: false };
      answer(200, { next_batch: `s${events.length}`, rooms: { join: { [room]: { timeline } } } });
    };
    if (events.length > since || url.searchParams.get('timeout') === '0') return tell();
    waiting = tell;
    return undefined;
  });
  return {
    ...server,
    token,
    sent,
    say(sender, body) {
      const event_id = `$said${events.length}`;
      const content = { msgtype: 'm.text', body };
      events.push({ event_id, type: 'm.room.message', sender, content });
      waiting?.();
      waiting = undefined;
    },
  };
}

async function listen(
  handle: RequestListener,
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function read(from: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of from) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
