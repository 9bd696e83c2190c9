import { expect, test } from 'vitest';
import { takeToken, tokenInFragment } from './join-link.ts';

test.each([
  ['#tlj.join-1.c2VjcmV0.ZmluZ2Vy', 'tlj.join-1.c2VjcmV0.ZmluZ2Vy'],
  ['', undefined],
  ['#', undefined],
  ['#tla.user.secret', undefined],
  ['#tlj.<script>', undefined],
  [`#tlj.${'a'.repeat(509)}`, undefined],
])('the fragment %s', (fragment, token) => {
  expect(tokenInFragment(fragment)).toBe(token);
});

test('it is taken out of the address and of the history', () => {
  const replaced: unknown[] = [];
  const page = {
    location: { hash: '#tlj.a.b.c', pathname: '/device/' },
    history: { replaceState: (...call: unknown[]) => void replaced.push(call) },
  };
  expect(takeToken(page)).toBe('tlj.a.b.c');
  expect(replaced).toEqual([[null, '', '/device/']]);
});
