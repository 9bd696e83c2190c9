import { createReadStream } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { parseByteRange } from './byte-range.ts';
import { type Fault, findFault } from './fault.ts';
import type { BlobReply } from './registry-endpoints.ts';

/** Writes a reply, with ranges where it allows them and with the faults meant for its bottle. */
export async function sendReply(
  request: IncomingMessage,
  response: ServerResponse,
  reply: BlobReply,
  faults: readonly Fault[],
): Promise<void> {
  const { body } = reply;
  const total = body.kind === 'bytes' ? body.bytes.length : body.sizeBytes;
  const ranged = reply.status === 200 && reply.headers['accept-ranges'] === 'bytes';
  const range = ranged ? parseByteRange(request.headers.range, total) : undefined;
  if (range === 'unsatisfiable') {
    response.writeHead(416, { 'content-range': `bytes */${total}` }).end();
    return;
  }
  const { first, last } = range ?? { first: 0, last: total - 1 };
  response.writeHead(range === undefined ? reply.status : 206, {
    ...reply.headers,
    ...(range !== undefined && { 'content-range': `bytes ${first}-${last}/${total}` }),
    ...(reply.status !== 304 && { 'content-length': String(last - first + 1) }),
  });
  if (request.method === 'HEAD' || last < first) {
    response.end();
    return;
  }
  const bytes =
    body.kind === 'bytes'
      ? Readable.from([body.bytes.subarray(first, last + 1)])
      : createReadStream(body.path, { start: first, end: last });
  const faulty = faultyStream(reply.bottle?.formula, faults, response);
  try {
    if (faulty === undefined) await pipeline(bytes, response);
    else await pipeline(bytes, faulty, response);
  } catch (error) {
    // The client went away, or a fault cut the connection: either way nobody is left to answer.
    if (!response.destroyed) throw error;
  }
}

function faultyStream(
  formula: string | undefined,
  faults: readonly Fault[],
  response: ServerResponse,
): Transform | undefined {
  if (formula === undefined) return undefined;
  if (findFault(faults, 'wrong-bytes', formula) !== undefined) {
    let seen = false;
    return new Transform({
      transform(chunk: Buffer, _encoding, done) {
        if (!seen)
          chunk = Buffer.concat([chunk.subarray(0, -1), Buffer.of((chunk.at(-1) ?? 0) ^ 1)]);
        seen = true;
        done(null, chunk);
      },
    });
  }
  const cut = findFault(faults, 'truncated', formula) ?? findFault(faults, 'stall', formula);
  if (cut === undefined) return undefined;
  let left = cut.bytes;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const part = chunk.subarray(0, left);
      left -= part.length;
      this.push(part);
      if (left > 0) done();
      // A stall never calls back: the response stays open until the client or the mirror ends it.
      else if (cut.kind === 'truncated') setImmediate(() => response.destroy());
    },
  });
}
