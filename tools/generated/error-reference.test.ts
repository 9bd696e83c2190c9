import { expect, test } from 'vitest';
import { usesIn } from './error-reference.ts';

test('finds code and message, with … for values', () => {
  const source = `
    throw new TaplineError('too_large', \`frame size \${size} exceeds \${limits.max({ a: 1 })}\`);
    throw new TaplineError(
      'gone',
      'it is gone',
      { hint: 'look elsewhere' },
    );
    throw new TaplineError(code, message);`;
  expect(usesIn(source, 'p')).toEqual([
    { code: 'too_large', message: 'frame size … exceeds …', package: 'p' },
    { code: 'gone', message: 'it is gone', package: 'p' },
  ]);
});
