import { expect, test } from 'vitest';
import { responseOf } from '../testing/response-of.ts';
import { hashKey } from './key-hash.ts';
import { createPieceSum } from './piece-sum.ts';
import { decodePrefix, encodeRecord } from './record.ts';

const how = { key: hashKey('k'), sum: createPieceSum() };

test('a head comes back as it was, also with an age that nobody knows and a part', () => {
  const { head } = responseOf('c /a', Buffer.from('abc'));
  for (const one of [
    head,
    { ...head, initialAgeMs: Number.POSITIVE_INFINITY },
    { ...head, part: { start: 0, end: 3, total: 9 }, tags: [] },
    { ...head, part: { start: 0, end: 3, total: undefined }, mustRevalidate: true },
  ]) {
    const content = { kind: 'response', head: one, body: Buffer.from('abc') } as const;
    expect(decodePrefix(Buffer.concat(encodeRecord(content, how)))).toMatchObject({
      kind: 'response',
      head: one,
      bodyBytes: 3,
    });
  }
});

test('a head of another form is not taken for one', () => {
  const { head } = responseOf('c /a', Buffer.alloc(0));
  for (const broken of [
    { ...head, status: '200' },
    { ...head, fields: [['etag']] },
    { ...head, tags: [1] },
    { ...head, lifetimeMs: undefined },
    { ...head, part: { start: 0 } },
  ]) {
    // As another version might have written it.
    const record = Buffer.concat(
      encodeRecord({ kind: 'response', head: broken as never, body: Buffer.alloc(0) }, how),
    );
    expect(decodePrefix(record)).toBeUndefined();
  }
});
