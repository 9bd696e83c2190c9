import { expect, test } from 'vitest';
import { SeriesBook } from './series-book.ts';

const hour = 3_600_000;

test('a device may have so many series, whichever requests they come in; others have their own', () => {
  const book = new SeriesBook(3);
  expect(book.note('a', [1, 2], 0)).toBe(true);
  expect(book.note('a', [2, 3], 1000)).toBe(true);
  expect(book.note('a', [4], 2000)).toBe(false);
  // What it has already still passes.
  expect(book.note('a', [1, 2, 3], 3000)).toBe(true);
  expect(book.note('b', [7, 8, 9], 3000)).toBe(true);
  expect(book.size).toBe(6);
});

test('a series that does not come any more makes room after one to two hours', () => {
  const book = new SeriesBook(2);
  expect(book.note('a', [1, 2], 0)).toBe(true);
  expect(book.note('a', [1], hour)).toBe(true);
  expect(book.note('a', [3], hour + 1)).toBe(false);
  expect(book.note('a', [1, 3], 2 * hour)).toBe(true);
  expect(book.note('a', [2], 2 * hour)).toBe(false);
  expect(book.note('a', [2, 4], 9 * hour)).toBe(true);
});
