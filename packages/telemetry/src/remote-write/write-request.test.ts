import { concatBytes, isTaplineError } from '@tapline/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkWriteRequest, type WriteLimits } from './check-write-request.ts';
import { encodeWriteRequest, type Series } from './encode-write-request.ts';

const nowMs = 1_800_000_000_000;
const limits: WriteLimits = {
  series: 3,
  labels: 4,
  nameBytes: 20,
  valueBytes: 30,
  identity: { instance: 'edge-1' },
  prefixes: ['tapline_'],
  fromMs: nowMs - 1000,
  toMs: nowMs + 1000,
};

function series(labels: Readonly<Record<string, string>> = {}, more: Partial<Series> = {}): Series {
  return {
    labels: { __name__: 'tapline_restarts_total', instance: 'edge-1', ...labels },
    value: 1.5,
    atMs: nowMs,
    ...more,
  };
}

describe('a request of remote write', () => {
  test('passes as it was encoded, also two joined and with an exemplar', () => {
    const exemplar = { labels: { trace_id: 'ab' }, value: 1, atMs: nowMs };
    const one = encodeWriteRequest([series({ stage: 'ready' }, { exemplar }), series()]);
    expect(checkWriteRequest(one, limits)).toBe(2);
    expect(checkWriteRequest(concatBytes([one, encodeWriteRequest([series()])]), limits)).toBe(3);
    // protobuf leaves a zero out where it can.
    expect(checkWriteRequest(encodeWriteRequest([series({}, { value: 0 })]), limits)).toBe(1);
  });

  test.each([
    ['of another device', [series({ instance: 'edge-2' })], 'of somebody else'],
    ['of nobody', [{ ...series(), labels: { __name__: 'tapline_x' } }], 'whose it is'],
    ['of a name that is not ours', [series({ __name__: 'up' })], 'no name that is known'],
    ['with too many series', [series(), series(), series(), series()], 'more than 3 series'],
    ['with too many labels', [series({ a: '1', b: '2', c: '3' })], 'more than 4 labels'],
    ['with a long value', [series({ a: 'x'.repeat(31) })], 'more than 20 bytes'],
    ['with a long name', [series({ ['a'.repeat(21)]: 'x' })], 'more than 20 bytes'],
    ['from long ago', [series({}, { atMs: nowMs - 2000 })], 'a sample is of'],
    ['from the future', [series({}, { atMs: nowMs + 2000 })], 'a sample is of'],
  ])('%s is refused', (_name, all, why) => {
    expect(() => checkWriteRequest(encodeWriteRequest(all), limits)).toThrow(why);
  });

  test('a label twice is refused, as readers could each take another one', () => {
    const label = (name: string, value: string) =>
      Buffer.concat([
        Buffer.from([0x0a, name.length + value.length + 4, 0x0a, name.length]),
        Buffer.from(name),
        Buffer.from([0x12, value.length]),
        Buffer.from(value),
      ]);
    const twice = Buffer.concat([
      label('__name__', 'tapline_x'),
      label('instance', 'edge-1'),
      label('instance', 'edge-1'),
    ]);
    const bytes = Buffer.concat([Buffer.from([0x0a, twice.length]), twice]);
    expect(() => checkWriteRequest(bytes, limits)).toThrow('there twice');
  });

  test('of any bytes nothing but a refusal comes, also of a request with one byte changed', () => {
    const good = encodeWriteRequest([series({ stage: 'ready' })]);
    const changed = fc
      .tuple(fc.nat(good.length - 1), fc.nat(255))
      .map(([at, byte]) => good.with(at, byte));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), changed), (bytes) => {
        expect(['taken', 'remote_write_refused']).toContain(verdict(bytes));
      }),
      { numRuns: 500 },
    );
  });
});

function verdict(bytes: Uint8Array): unknown {
  try {
    checkWriteRequest(bytes, limits);
    return 'taken';
  } catch (error) {
    return isTaplineError(error) ? error.code : error;
  }
}
