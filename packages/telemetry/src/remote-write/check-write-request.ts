import { TaplineError } from '@tapline/base';

/** What a request may hold. */
export interface WriteLimits {
  readonly series: number;
  readonly labels: number;
  readonly nameBytes: number;
  readonly valueBytes: number;
  /** Labels that each series has to have, with just this value: who it is of. */
  readonly identity: Readonly<Record<string, string>>;
  /** What names of metrics begin with. */
  readonly prefixes: readonly string[];
  /** Samples from before or after are refused. */
  readonly fromMs: number;
  readonly toMs: number;
  /** A number for each series by its labels: the same for the same, and seldom for another. */
  readonly onSeries?: (hash: number) => void;
}

interface Limits extends Omit<WriteLimits, 'identity' | 'prefixes'> {
  readonly identity: readonly { readonly name: Uint8Array; readonly value: Uint8Array }[];
  readonly prefixes: readonly Uint8Array[];
}

const metricName = new TextEncoder().encode('__name__');

/**
 * Walks over a WriteRequest of remote write 1.0 without making anything of it, as it is passed on as it
 * is; answers how many series it has. Each has sorted labels, so none twice, and one or more samples.
 * Throws `remote_write_refused`.
 */
export function checkWriteRequest(bytes: Uint8Array, limits: WriteLimits): number {
  const encoder = new TextEncoder();
  const inner: Limits = {
    ...limits,
    identity: Object.entries(limits.identity).map(([name, value]) => ({
      name: encoder.encode(name),
      value: encoder.encode(value),
    })),
    prefixes: limits.prefixes.map((prefix) => encoder.encode(prefix)),
  };
  let series = 0;
  for (let at = 0; at < bytes.length;) {
    // Only field 1, series: metadata has no owner, and is not passed on.
    const one = nested(bytes, at, { end: bytes.length, tag: 0x0a });
    series += 1;
    if (series > limits.series) throw refused(`more than ${limits.series} series`);
    checkSeries(bytes, one, inner);
    at = one.to;
  }
  return series;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

function checkSeries(bytes: Uint8Array, range: Range, limits: Limits): void {
  let samples = 0;
  let labels = 0;
  let known = 0;
  let isNamed = false;
  let before: Range | undefined;
  // FNV-1a, 32 bits.
  let hash = 0x811c_9dc5;
  for (let at = range.from; at < range.to;) {
    const tag = bytes[at];
    const part = nested(bytes, at, {
      end: range.to,
      tag: tag === 0x12 || tag === 0x1a ? tag : 0x0a,
    });
    at = part.to;
    if (tag === 0x12) {
      checkSample(bytes, part, limits);
      samples += 1;
    } else if (tag === 0x0a) {
      labels += 1;
      if (labels > limits.labels) throw refused(`a series has more than ${limits.labels} labels`);
      const name = nested(bytes, part.from, { end: part.to, tag: 0x0a });
      const value = nested(bytes, name.to, { end: part.to, tag: 0x12 });
      if (value.to !== part.to) throw refused('a label has more than a name and a value');
      if (name.to - name.from > limits.nameBytes || value.to - value.from > limits.valueBytes) {
        throw refused(
          `a label has more than ${limits.nameBytes} bytes of name or ${limits.valueBytes} of value`,
        );
      }
      if (before !== undefined && compare(bytes, before, name) >= 0) {
        throw refused('labels are not sorted, or one is there twice');
      }
      before = name;
      for (let index = name.from; index < value.to; index += 1) {
        hash = Math.imul(hash ^ (bytes[index] ?? 0), 0x0100_0193);
      }
      if (equals(bytes, name, metricName)) {
        isNamed = limits.prefixes.some((prefix) => startsWith(bytes, value, prefix));
      }
      for (const one of limits.identity) {
        if (!equals(bytes, name, one.name)) continue;
        if (!equals(bytes, value, one.value)) throw refused('a series is of somebody else');
        known += 1;
      }
    }
  }
  if (!isNamed) throw refused('a series has no name that is known here');
  if (known !== limits.identity.length) throw refused('a series does not say whose it is');
  if (samples === 0) throw refused('a series has no sample');
  limits.onSeries?.(hash);
}

/** `{ value = 1: double, timestamp = 2: int64 }`; both in this order, as everybody writes them. */
function checkSample(bytes: Uint8Array, { from, to }: Range, limits: Limits): void {
  let at = from;
  if (bytes[at] === 0x09) at += 9;
  if (bytes[at] !== 0x10) throw refused('a sample has no time');
  let time = 0;
  let end = at + 1;
  for (let shift = 0; shift < 7; shift += 1, end += 1) {
    const byte = bytes[end];
    if (byte === undefined || end >= to) throw refused('a sample is cut');
    time += (byte & 0x7f) * 2 ** (7 * shift);
    if (byte < 0x80) break;
  }
  if (end + 1 !== to) throw refused('a sample is not a value and a time');
  if (time < limits.fromMs || time > limits.toMs) {
    throw refused(`a sample is of ${time} ms, not between ${limits.fromMs} and ${limits.toMs}`);
  }
}

/** The bytes of a length-delimited field. */
function nested(
  bytes: Uint8Array,
  at: number,
  { end, tag }: { readonly end: number; readonly tag: number },
): Range {
  if (at >= end || bytes[at] !== tag) throw refused(`byte ${at} is no field ${tag >>> 3}`);
  let length = 0;
  let from = at + 1;
  for (let shift = 0; ; shift += 1, from += 1) {
    const byte = bytes[from];
    if (byte === undefined || shift > 3) throw refused('a length is cut');
    length += (byte & 0x7f) * 2 ** (7 * shift);
    if (byte < 0x80) break;
  }
  from += 1;
  if (from + length > end) throw refused('a field is longer than what holds it');
  return { from, to: from + length };
}

function compare(bytes: Uint8Array, a: Range, b: Range): number {
  const length = Math.min(a.to - a.from, b.to - b.from);
  for (let index = 0; index < length; index += 1) {
    const difference = (bytes[a.from + index] ?? 0) - (bytes[b.from + index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.to - a.from - (b.to - b.from);
}

function equals(bytes: Uint8Array, range: Range, wanted: Uint8Array): boolean {
  return range.to - range.from === wanted.length && startsWith(bytes, range, wanted);
}

function startsWith(bytes: Uint8Array, { from, to }: Range, wanted: Uint8Array): boolean {
  if (to - from < wanted.length) return false;
  for (let index = 0; index < wanted.length; index += 1) {
    if (bytes[from + index] !== wanted[index]) return false;
  }
  return true;
}

function refused(why: string): TaplineError {
  return new TaplineError('remote_write_refused', `these metrics are not taken: ${why}`, {
    details: { retryable: false },
  });
}
