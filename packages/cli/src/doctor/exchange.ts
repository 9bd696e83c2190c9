import type { TLSSocket } from 'node:tls';

/** Requests one after another over a connection that is open already. */
export interface Exchange {
  /** Asks for the server's health and answers the headers of what comes, whatever its status. */
  ask(headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Headers>;
}

const maxHeadBytes = 65_536;

/** HTTP/1.1 by hand: Node's client would open a connection of its own where this one is slow. */
export function createExchange(
  socket: TLSSocket,
  { host, port }: { readonly host: string; readonly port: number },
): Exchange {
  let received = Buffer.alloc(0);
  let wake = nobodyWaits;
  let ended: Error | undefined;
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    if (received.length > maxHeadBytes) socket.destroy(new Error('more than was asked for'));
    wake();
  });
  socket.on('close', () => {
    ended ??= new Error('the connection was closed');
    wake();
  });

  async function until<T>(find: () => T | undefined, signal: AbortSignal): Promise<T> {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (ended !== undefined) throw ended;
      signal.throwIfAborted();
      await new Promise<void>((resolve) => {
        wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  return {
    async ask(headers, signal) {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
      const at = host.includes(':') ? `[${host}]` : host;
      socket.write(`GET /healthz HTTP/1.1\r\nhost: ${at}:${port}\r\n${lines.join('')}\r\n`);
      const answer = await until(() => parseAnswer(received), signal);
      received = received.subarray(answer.length);
      return answer.headers;
    },
  };
}

/** Headers of an answer, and its length with the body; undefined while it is not all there. */
export function parseAnswer(
  bytes: Buffer,
): { readonly headers: Headers; readonly length: number } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [status = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  if (!status.startsWith('HTTP/1.1 ')) throw new Error('the answer is not HTTP/1.1');
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const body = bodyLength(bytes.subarray(end + 4), headers);
  return body === undefined ? undefined : { headers, length: end + 4 + body };
}

/** Undefined while it is not all there. One without a length ends with its connection. */
function bodyLength(bytes: Buffer, headers: Headers): number | undefined {
  if (headers.get('transfer-encoding') !== 'chunked') {
    const length = Number(headers.get('content-length') ?? 0);
    return bytes.length < length ? undefined : length;
  }
  // RFC 9112 §7.1: size in hexadecimal, the bytes, and in the end a chunk of none.
  for (let at = 0; ;) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(bytes.subarray(at, line).toString('latin1'), 16);
    if (Number.isNaN(size)) throw new Error('the answer has a chunk without a size');
    at = line + 2 + size + 2;
    if (at > bytes.length) return undefined;
    if (size === 0) return at;
  }
}

function nobodyWaits(): void {}
