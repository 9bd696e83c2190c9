import { expect, test } from 'vitest';
import { mayReach, type PortRole } from './port-role.ts';

const roles: Readonly<Record<string, PortRole>> = {
  promiscuous: { kind: 'promiscuous' },
  a: { kind: 'community', community: 'a' },
  b: { kind: 'community', community: 'b' },
  isolated: { kind: 'isolated' },
};

test('the matrix of RFC 5517, which is symmetric', () => {
  const matrix = Object.entries(roles).map(
    ([name, from]) =>
      `${name}: ${Object.keys(roles)
        .filter((to) => mayReach(from, roles[to] ?? from))
        .join(' ')}`,
  );
  expect(matrix).toEqual([
    'promiscuous: promiscuous a b isolated',
    'a: promiscuous a',
    'b: promiscuous b',
    'isolated: promiscuous',
  ]);
});
