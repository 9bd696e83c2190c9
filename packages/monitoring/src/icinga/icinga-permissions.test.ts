import { expect, test } from 'vitest';
import { icingaPermissions, missingPermissions } from './icinga-permissions.ts';

test('wildcards grant what they cover, and nothing else', () => {
  expect(missingPermissions(['*'])).toEqual([]);
  expect(missingPermissions(icingaPermissions)).toEqual([]);
  expect(missingPermissions([])).toEqual(icingaPermissions);
  expect(
    missingPermissions(['objects/*', 'events/*', 'ACTIONS/process-check-result', 'config/*']),
  ).toEqual(['status/query']);
  expect(missingPermissions(['objects.query.Host'])).toEqual(icingaPermissions);
});
