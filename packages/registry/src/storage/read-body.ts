import { collectBytes, TaplineError } from '@tapline/base';

/** All of `body`, at most `maxBytes`; throws an error with `code` beyond. */
export function readBody(
  body: AsyncIterable<Uint8Array>,
  limit: { readonly maxBytes: number; readonly code: string },
): Promise<Uint8Array> {
  const { maxBytes, code } = limit;
  return collectBytes(body, {
    maxBytes,
    tooLarge: () =>
      new TaplineError(code, `body of more than ${maxBytes} bytes`, { details: { maxBytes } }),
  });
}
