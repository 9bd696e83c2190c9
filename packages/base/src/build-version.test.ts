import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { buildVersion } from './build-version.ts';

test('the version is the one of the workspace', () => {
  const manifest: unknown = JSON.parse(
    readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
  );
  expect(manifest).toMatchObject({ version: buildVersion });
});
