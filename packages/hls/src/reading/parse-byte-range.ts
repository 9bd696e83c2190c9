import { parseInteger } from './parse-number.ts';

/** `length[@offset]` of EXT-X-BYTERANGE and of BYTERANGE attributes, or undefined. */
export function parseByteRange(
  text: string,
): { readonly length: number; readonly offset: number | undefined } | undefined {
  const [lengthText = '', offsetText, ...rest] = text.split('@');
  const length = parseInteger(lengthText);
  if (length === undefined || rest.length > 0) return undefined;
  if (offsetText === undefined) return { length, offset: undefined };
  const offset = parseInteger(offsetText);
  // The end of the range is a number, too.
  return offset === undefined || !Number.isSafeInteger(offset + length)
    ? undefined
    : { length, offset };
}
