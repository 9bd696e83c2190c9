import { expect, it } from 'vitest';
import type { LabelSelector } from '@tapline/resources';
import { matchesSelector } from './matches-selector.ts';

const labels = { team: 'design', os: 'linux' };

it.each<[LabelSelector, boolean]>([
  [{}, true],
  [{ matchLabels: { team: 'design' } }, true],
  [{ matchLabels: { team: 'design', os: 'mac' } }, false],
  [{ matchExpressions: [{ key: 'team', operator: 'In', values: ['design', 'ops'] }] }, true],
  [{ matchExpressions: [{ key: 'site', operator: 'In', values: ['a'] }] }, false],
  [{ matchExpressions: [{ key: 'site', operator: 'NotIn', values: ['a'] }] }, true],
  [{ matchExpressions: [{ key: 'team', operator: 'NotIn', values: ['design'] }] }, false],
  [{ matchExpressions: [{ key: 'team', operator: 'Exists' }] }, true],
  [{ matchExpressions: [{ key: 'team', operator: 'DoesNotExist' }] }, false],
  [
    { matchLabels: { os: 'linux' }, matchExpressions: [{ key: 'site', operator: 'Exists' }] },
    false,
  ],
])('%j is %s', (selector, expected) => {
  expect(matchesSelector(selector, labels)).toBe(expected);
});

it('takes a device without labels for an empty selector only', () => {
  expect(matchesSelector({})).toBe(true);
  expect(matchesSelector({ matchLabels: { team: 'design' } })).toBe(false);
});
