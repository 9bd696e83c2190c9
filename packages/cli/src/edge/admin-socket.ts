import { request } from 'node:http';
import { isRecord, TaplineError } from '@tapline/base';

/** Asks a running edge over its socket. Throws `edge_unreachable`, or what the edge says is wrong. */
export function askEdge(
  socketPath: string,
  asked: { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: unknown },
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method: asked.method, path: asked.path }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        const value: unknown = JSON.parse(text);
        if (response.statusCode === 200) resolve(value);
        else {
          const { code, message } = isRecord(value) ? value : {};
          reject(new TaplineError(String(code), String(message)));
        }
      });
    });
    sent.on('error', (cause) =>
      reject(
        new TaplineError('edge_unreachable', `no edge answers at ${socketPath}`, {
          cause,
          hint: 'name the socket that tapline edge-cache serve was given with --admin',
        }),
      ),
    );
    sent.end(asked.body === undefined ? undefined : JSON.stringify(asked.body));
  });
}
