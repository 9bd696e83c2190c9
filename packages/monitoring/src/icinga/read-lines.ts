import { TaplineError } from '@tapline/base';

/** The lines of a stream as they come; throws `icinga_error` at one beyond `maxBytes`. */
export async function* readLines(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<string> {
  let pending: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    let rest = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      pending.push(rest.subarray(0, end));
      const line = Buffer.concat(pending).toString();
      pending = [];
      size = 0;
      rest = rest.subarray(end + 1);
      if (line.trim() !== '') yield line;
    }
    if (rest.length === 0) continue;
    pending.push(rest);
    size += rest.length;
    if (size > maxBytes) {
      throw new TaplineError('icinga_error', `an event of Icinga has more than ${maxBytes} bytes`);
    }
  }
}
