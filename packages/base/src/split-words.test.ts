import { expect, test } from 'vitest';
import { splitWords } from './split-words.ts';

test.each([
  ['jq -n "1 + 1"', ['jq', '-n', '1 + 1']],
  [`  a  b'c d'e ""`, ['a', 'bc de', '']],
  ['', []],
])('%s', (text, words) => {
  expect(splitWords(text)).toEqual(words);
});

test('a quote that does not end is refused', () => {
  expect(() => splitWords('jq "1 + 1')).toThrow(`has a " that does not end`);
});
