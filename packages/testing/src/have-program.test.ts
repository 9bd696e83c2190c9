import { expect, test } from 'vitest';

import { haveProgram } from './have-program.ts';

test('finds programs on the PATH and nothing else', () => {
  expect(haveProgram('sh')).toBe(true);
  expect(haveProgram('no-such-program-anywhere')).toBe(false);
  expect(haveProgram('')).toBe(false);
});
