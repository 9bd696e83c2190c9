import { request } from 'node:http';
import { isRecord, TaplineError } from '@tapline/base';

const answerMs = 5000;
const maxAnswerBytes = 16 * 1024 * 1024;

/** Whom a socket belongs to, for messages: `code` is that of one who does not answer. */
export interface SocketOwner {
  readonly who: string;
  readonly code: string;
}

/** Asks a process of this machine over its socket. Throws the owner's code, or what it answers. */
export function askSocket(
  socketPath: string,
  asked: {
    readonly method: 'GET' | 'POST';
    readonly path: string;
    readonly body?: unknown;
    readonly owner: SocketOwner;
  },
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void =>
      reject(new TaplineError(asked.owner.code, `${asked.owner.who} does not answer`, { cause }));
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
            const { code = 'internal_error', message = text, hint } = isRecord(value) ? value : {};
            reject(
              new TaplineError(String(code), String(message), {
                ...(typeof hint === 'string' && { hint }),
              }),
            );
          }
        });
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${answerMs} ms`)));
    sent.on('error', fail);
    sent.end(asked.body === undefined ? undefined : JSON.stringify(asked.body));
  });
}
