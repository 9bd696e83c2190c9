import type { Socket } from 'node:net';
import { type Clock, errorMessage } from '@tapline/base';
import { connectOnce } from './carry-connection.ts';

/** What a look at a port came to; `why` is empty where it is healthy. */
export interface Probed {
  readonly healthy: boolean;
  readonly why: string;
}

const answerMs = 5000;
const headBytes = 64;

/** Whether somebody listens at a port of this network, or answers a request for `path` below 400. */
export async function probePort(
  port: number,
  { path, clock }: { readonly path: string | undefined; readonly clock: Clock },
): Promise<Probed> {
  const late = new AbortController();
  let socket: Socket | undefined;
  try {
    socket = await connectOnce(port);
    if (path === undefined) return { healthy: true, why: '' };
    const patience = clock.sleep(answerMs, { signal: late.signal }).then(
      () => `no answer within ${answerMs} ms`,
      () => '',
    );
    const why = await Promise.race([failingStatus(socket, path), patience]);
    return { healthy: why === '', why };
  } catch (error) {
    return { healthy: false, why: errorMessage(error) };
  } finally {
    late.abort();
    socket?.destroy();
  }
}

/** Empty where a request for `path` is answered below 400. */
function failingStatus(socket: Socket, path: string): Promise<string> {
  return new Promise((resolve) => {
    let head = '';
    socket.once('error', (error) => resolve(error.message));
    socket.once('close', () => resolve(`the connection ended after ${head.length} bytes`));
    socket.setEncoding('latin1').on('data', (text: string) => {
      head += text;
      const status = /^HTTP\/1\.[01] ([1-5]\d\d)[ \r]/.exec(head)?.[1];
      if (status !== undefined) resolve(Number(status) < 400 ? '' : `${path} answers ${status}`);
      else if (head.length > headBytes) resolve('what answers speaks no HTTP/1.1');
    });
    const fields = 'host: localhost\r\nuser-agent: tapline\r\nconnection: close';
    socket.write(`GET ${path} HTTP/1.1\r\n${fields}\r\n\r\n`);
  });
}
