import { expect, test } from 'vitest';
import { parseContentRange } from './content-range.ts';

test.each([
  ['0-9', { start: 0, end: 10 }],
  ['10-10', { start: 10, end: 11 }],
  ['bytes 5-9/*', { start: 5, end: 10 }],
])('%s', (header, expected) => {
  expect(parseContentRange(header)).toEqual(expected);
});

test.each(['', '9-0', 'a-b', '0-', '-5', '0-9999999999999999', '0-1, 2-3'])(
  'refuses %j',
  (header) => {
    expect(() => parseContentRange(header)).toThrow(
      expect.objectContaining({ code: 'blob_upload_invalid' }),
    );
  },
);
