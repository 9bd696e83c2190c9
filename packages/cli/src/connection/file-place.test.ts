import { expect, test } from 'vitest';
import { parseFilePlace } from './file-place.ts';

test.each([
  ['edge-1:notes/a.txt', { kind: 'device', device: 'edge-1', path: 'notes/a.txt' }],
  ['edge-1:a:b', { kind: 'device', device: 'edge-1', path: 'a:b' }],
  ['./edge-1:a', { kind: 'here', path: './edge-1:a' }],
  ['/tmp/a', { kind: 'here', path: '/tmp/a' }],
  ['-', { kind: 'here', path: '-' }],
])('%s', (text, place) => {
  expect(parseFilePlace(text)).toEqual(place);
});

test('no name is none', () => {
  expect(() => parseFilePlace('')).toThrow('has no name');
});
