/** One range of bytes as asked for; `last` is inclusive, as on the wire. */
export type RangeRequest =
  | { readonly kind: 'from'; readonly first: number; readonly last: number | undefined }
  | { readonly kind: 'suffix'; readonly length: number };

/** What of a body is sent: bytes `start` to `end`, which is exclusive. */
export interface ByteSpan {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads `Range`. Undefined where it is to be ignored (RFC 9110 §14.2): another unit, malformed, or
 * several ranges, which this cache answers with the whole.
 */
export function parseRange(header: string | undefined): RangeRequest | undefined {
  const match = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/i.exec(header ?? '');
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '') {
    return last === '' ? undefined : { kind: 'suffix', length: Number(last) };
  }
  if (last !== '' && Number(last) < Number(first)) return undefined;
  return { kind: 'from', first: Number(first), last: last === '' ? undefined : Number(last) };
}

/** The bytes of a body of `size` that a request is answered with; undefined is 416. */
export function resolveRange(range: RangeRequest, size: number): ByteSpan | undefined {
  if (range.kind === 'suffix') {
    const length = Math.min(range.length, size);
    return length === 0 ? undefined : { start: size - length, end: size };
  }
  if (range.first >= size) return undefined;
  const end = range.last === undefined ? size : Math.min(range.last + 1, size);
  return { start: range.first, end };
}

/** Where a partial body stands in the whole. */
export interface ContentRange extends ByteSpan {
  /** Undefined for `*`. */
  readonly total: number | undefined;
}

export function parseContentRange(header: string | undefined): ContentRange | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i.exec(header ?? '');
  if (match === null) return undefined;
  const [start, end] = [Number(match[1]), Number(match[2]) + 1];
  const total = match[3] === '*' ? undefined : Number(match[3]);
  if (end <= start || (total !== undefined && end > total)) return undefined;
  return { start, end, total };
}
