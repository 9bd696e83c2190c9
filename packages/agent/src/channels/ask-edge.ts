import { request } from 'node:http';
import { isRecord, TaplineError } from '@tapline/base';

/** What the edge counted of one channel since it started. */
export interface ChannelFigures {
  readonly requests: number;
  readonly hits: number;
  readonly misses: number;
  readonly passes: number;
  readonly fetches: number;
  readonly originFailures: number;
}

export interface EdgeFigures {
  readonly channels?: Readonly<Record<string, ChannelFigures>>;
}

const answerMs = 5000;
const maxAnswerBytes = 16 * 1024 * 1024;

/** Asks the edge cache of this node over its socket. Throws `edge_unreachable`, or what it answers. */
export function askEdge(
  socketPath: string,
  asked: { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: unknown },
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void =>
      reject(new TaplineError('edge_unreachable', 'the edge cache does not answer', { cause }));
    const sent = request(
      { socketPath, method: asked.method, path: asked.path, timeout: answerMs },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
          if (text.length > maxAnswerBytes) response.destroy();
        });
        response.on('error', fail);
        response.on('end', () => {
          let value: unknown;
          try {
            value = JSON.parse(text);
          } catch (error) {
            fail(error as Error);
            return;
          }
          if (response.statusCode === 200) resolve(value);
          else {
            const { code = 'edge_failed', message = text } = isRecord(value) ? value : {};
            reject(new TaplineError(String(code), String(message)));
          }
        });
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${answerMs} ms`)));
    sent.on('error', fail);
    sent.end(asked.body === undefined ? undefined : JSON.stringify(asked.body));
  });
}
