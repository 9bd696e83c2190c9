import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { request as plainRequest, type IncomingMessage } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { TaplineError } from '@tapline/base';
import type { KubeconfigContext } from '@tapline/client';
import { filePath } from './file-path.ts';
import type { FilePlace } from './file-place.ts';
import { readText, refusalOf, requestOptions } from './request-path.ts';

/** Copies a file to a device, and compares what is there then. */
export async function uploadFile(
  context: KubeconfigContext,
  files: { readonly from: string; readonly to: Extract<FilePlace, { kind: 'device' }> },
  { signal }: { readonly signal: AbortSignal },
): Promise<void> {
  const { from, to } = files;
  await using file = await opened(from);
  const { size } = await file.stat();
  const options = requestOptions(context);
  const url = new URL(filePath(to, 'upload'), context.baseUrl);
  const send = url.protocol === 'http:' ? plainRequest : tlsRequest;
  const request = send(url, {
    ...options,
    method: 'PUT',
    headers: { ...(options.headers as Record<string, string>), 'content-length': String(size) },
    signal,
  });
  const answered = Promise.withResolvers<IncomingMessage>();
  request.on('response', answered.resolve);
  request.on('error', (cause) =>
    answered.reject(new TaplineError('unreachable', `${url.origin} did not answer`, { cause })),
  );
  const hash = createHash('sha256');
  async function* hashed(): AsyncGenerator<Buffer, void> {
    for await (const part of file.createReadStream({ autoClose: false })) {
      hash.update(part as Buffer);
      yield part as Buffer;
    }
  }
  // A refusal may come before all was sent; it says why.
  pipeline(hashed(), request).catch(() => undefined);
  const response = await answered.promise;
  if (response.statusCode !== 200) throw await refusalOf(response);
  const { sha256 } = JSON.parse(await readText(response)) as { readonly sha256?: unknown };
  if (sha256 === hash.digest('hex')) return;
  throw new TaplineError('file_incomplete', `${to.device}:${to.path} is not what ${from} is`);
}

async function opened(path: string): Promise<Awaited<ReturnType<typeof open>>> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    throw new TaplineError('file_not_found', `${path} cannot be read`, { cause });
  }
}
