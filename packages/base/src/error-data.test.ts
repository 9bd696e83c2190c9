import { expect, test } from 'vitest';
import { fromErrorData, toErrorData } from './error-data.ts';
import { TaplineError } from './tapline-error.ts';

test('an error that was cloned is the same error', () => {
  const error = new TaplineError('disk_full', 'no room', {
    hint: 'make some',
    details: { free: 1 },
    cause: new Error('ENOSPC'),
  });
  const copy = fromErrorData(structuredClone(toErrorData(error, 'other')));
  expect(copy).toMatchObject({ code: 'disk_full', message: 'no room', hint: 'make some' });
  expect(copy.details).toEqual({ free: 1 });
  expect(copy.cause).toMatchObject({ message: 'ENOSPC' });
});

test('what has no code gets one', () => {
  const copy = fromErrorData(toErrorData(new RangeError('out of range'), 'store_io'));
  expect(copy).toMatchObject({ code: 'store_io', message: 'out of range', hint: undefined });
  expect(fromErrorData(toErrorData('text', 'store_io')).message).toBe('text');
});
