import { expect, test } from 'vitest';
import { elementBatch } from './element-batch.ts';

test('the bytes are those that nft itself sends, but for the number of the set in a transaction', () => {
  const { bytes, last, operations } = elementBatch([
    { kind: 'elements-add', set: 'vnis', elements: [55] },
  ]);
  const begin = '14000000 1000 0100 00000000 00000000 00 00 000a';
  const add = [
    '40000000 0c0a 0504 01000000 00000000 01 00 0000',
    `0c00 0100 ${hex('tapline')}00`,
    `0900 0200 ${hex('vnis')}00 000000`,
    '1400 0380 1000 0180 0c00 0180 0700 0100 000037 00',
  ].join('');
  const end = '14000000 1100 0100 02000000 00000000 00 00 000a';
  expect(Buffer.from(bytes).toString('hex')).toBe(`${begin}${add}${end}`.replaceAll(' ', ''));
  expect([last, operations]).toEqual([1, [-1, 0]]);
});

test.each([
  ['vnis', '55'],
  ['vnis', 0x1000000],
  ['remote', { concat: ['tv1', '02:00:00:00:00:01'] }],
  ['sources4', { concat: ['tp1.1.1', '::1'] }],
  ['sources6', { concat: ['a-name-too-long.', '::1'] }],
  ['nd_targets', { concat: ['tp1.1.1', 'fe80'] }],
  ['groups', { concat: ['tp1.1.1', '02:00'] }],
  ['others', 1],
])('set %s takes no %j', (set, element) => {
  expect(() => elementBatch([{ kind: 'elements-add', set, elements: [element] }])).toThrow(
    'is not of its set',
  );
});

function hex(value: string): string {
  return Buffer.from(value, 'latin1').toString('hex');
}
