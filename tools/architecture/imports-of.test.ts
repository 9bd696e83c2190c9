import { expect, test } from 'vitest';
import { importsOf } from './imports-of.ts';

test('finds static, type, multi-line, side-effect, re-exported and dynamic imports', () => {
  const source = `import { a } from 'one';
import type { B } from "two";
import {
  c,
  d,
} from 'three';
import 'four';
export { e } from 'five';
const f = await import('six');
const text = "from 'seven'";
`;
  expect(importsOf(source)).toEqual(['one', 'two', 'three', 'four', 'five', 'six']);
});
