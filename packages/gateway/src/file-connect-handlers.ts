import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { MessageInitShape } from '@bufbuild/protobuf';
import { TaplineError } from '@tapline/base';
import type { InstallConnect } from './install-connect-handlers.ts';
import type { WriteFileRequestSchema } from './rpc/generated/tapline/device/v1/device_pb.ts';
import type { SessionHub } from './session-hub.ts';

type Handle = (connect: InstallConnect, response: ServerResponse) => Promise<void>;

interface FileHandler {
  readonly verb: 'get' | 'create';
  readonly detail: (query: URLSearchParams) => string | undefined;
  readonly handle: Handle;
}

/**
 * Serves `devices/file` and `devices/upload`: a file of the folder that a device shares, read and written
 * by `?path=`. The bytes are the body, whose length is said before.
 */
export function createFileConnectHandlers(init: {
  readonly hub: Pick<SessionHub, 'call'>;
}): Readonly<Record<'devices/file' | 'devices/upload', FileHandler>> {
  const { hub } = init;

  const read: Handle = async ({ object, query, signal }, response) => {
    const { name } = object.metadata;
    const path = pathOf(query);
    const call = await hub.call(name, (calls, options) => calls.readFile({ path }, options), {
      signal,
    });
    try {
      response.writeHead(200, {
        'content-type': 'application/octet-stream',
        'content-length': String(call.first.sizeBytes),
        'cache-control': 'no-store',
      });
      for await (const { content } of call.rest) {
        if (!response.write(content)) await once(response, 'drain', { signal });
      }
      response.end();
    } catch (error) {
      // The status line is out: a body that is too short says that the rest is missing.
      response.destroy(error instanceof Error ? error : new Error(String(error)));
    } finally {
      call.cancel();
    }
  };

  const upload: Handle = async ({ object, query, request, signal }, response) => {
    if (request.method !== 'PUT') throw new TaplineError('bad_request', 'an upload is a PUT');
    const path = pathOf(query);
    const text = request.headers['content-length'] ?? '';
    if (!/^\d{1,12}$/.test(text)) {
      throw new TaplineError('bad_request', 'an upload says its length before');
    }
    const { name } = object.metadata;
    const parts = fileParts({ path, sizeBytes: BigInt(text) }, request);
    const call = await hub.call(name, (calls, options) => single(calls.writeFile(parts, options)), {
      signal,
      isLong: true,
    });
    const body = JSON.stringify({ sha256: Buffer.from(call.first.sha256).toString('hex') });
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  };

  return {
    'devices/file': { verb: 'get', detail, handle: read },
    'devices/upload': { verb: 'create', detail, handle: upload },
  };
}

function detail(query: URLSearchParams): string | undefined {
  return query.get('path') ?? undefined;
}

function pathOf(query: URLSearchParams): string {
  const path = query.get('path');
  if (path !== null && path !== '') return path;
  throw new TaplineError('bad_request', 'no path= names the file');
}

async function* fileParts(
  start: { readonly path: string; readonly sizeBytes: bigint },
  body: IncomingMessage,
): AsyncGenerator<MessageInitShape<typeof WriteFileRequestSchema>, void> {
  yield { part: { case: 'start', value: start } };
  for await (const part of body as AsyncIterable<Buffer>) {
    yield { part: { case: 'content', value: part } };
  }
}

async function* single<T>(answer: Promise<T>): AsyncGenerator<T, void> {
  yield await answer;
}
