import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { icingaPermissions } from '@tapline/monitoring';
import { expect, test } from 'vitest';

test('the account of the guide has just the permissions that are needed', () => {
  const guide = readFileSync(join(import.meta.dirname, '../../docs/guides/monitoring.md'), 'utf8');
  const account = /object ApiUser[^]*?permissions = \[([^\]]*)\]/.exec(guide)?.[1] ?? '';
  expect([...account.matchAll(/"([^"]+)"/g)].map(([, one]) => one)).toEqual(icingaPermissions);
});
