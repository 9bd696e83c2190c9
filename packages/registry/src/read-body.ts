import { TaplineError } from '@tapline/base';

/** All of `body`, at most `maxBytes`; throws an error with `code` beyond. */
export async function readBody(
  body: AsyncIterable<Uint8Array>,
  limit: { readonly maxBytes: number; readonly code: string },
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit.maxBytes) {
      throw new TaplineError(limit.code, `body of more than ${limit.maxBytes} bytes`, {
        details: { maxBytes: limit.maxBytes },
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
