import { TaplineError } from '@tapline/base';
import type { ByteReader } from './byte-reader.ts';

const partBytes = 65_536;
const maxLineBytes = 1024;

/**
 * A body by its length, in chunks, or to the end of the stream (RFC 9112 §6.3). Throws `unavailable` where
 * it is cut, `unexpected_answer` where it is not as its head says.
 */
export async function* createBodyReader(
  reader: ByteReader,
  about: { readonly headers: Readonly<Record<string, string>>; readonly isEmpty: boolean },
): AsyncGenerator<Uint8Array, void> {
  const { headers, isEmpty } = about;
  if (isEmpty) return;
  const coding = headers['transfer-encoding'];
  const length = headers['content-length'];
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') {
      throw new TaplineError(
        'unexpected_answer',
        `transfer coding ${coding.slice(0, 80)} is not known`,
      );
    }
    yield* chunks(reader);
  } else if (length === undefined) {
    for (
      let part = await reader.some(partBytes);
      part !== undefined;
      part = await reader.some(partBytes)
    ) {
      yield part;
    }
  } else {
    if (!/^\d{1,15}$/.test(length)) {
      throw new TaplineError(
        'unexpected_answer',
        `content-length ${length.slice(0, 80)} is no length`,
      );
    }
    yield* exactly(reader, Number(length));
  }
}

async function* exactly(reader: ByteReader, bytes: number): AsyncGenerator<Uint8Array, void> {
  for (let left = bytes; left > 0;) {
    const part = await reader.some(Math.min(left, partBytes));
    if (part === undefined) {
      throw new TaplineError('unavailable', `${left} of ${bytes} bytes of a body are missing`);
    }
    left -= part.length;
    yield part;
  }
}

async function* chunks(reader: ByteReader): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    const line = await reader.until('\r\n', maxLineBytes);
    const size = /^([0-9A-Fa-f]{1,8})(?:[ \t]*;.*)?$/.exec(line)?.[1];
    if (size === undefined) {
      throw new TaplineError(
        'unexpected_answer',
        `${JSON.stringify(line.slice(0, 80))} is no size of a chunk`,
      );
    }
    const bytes = Number.parseInt(size, 16);
    if (bytes > 0) yield* exactly(reader, bytes);
    // After the last one trailers may come, which nobody asked for.
    if ((await reader.until('\r\n', maxLineBytes)) !== '' && bytes > 0) {
      throw new TaplineError('unexpected_answer', 'a chunk is longer than its size');
    }
    if (bytes === 0) return;
  }
}
