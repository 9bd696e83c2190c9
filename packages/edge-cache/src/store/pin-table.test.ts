import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { PinTable } from './pin-table.ts';

test('pins hold for all variants, and after a restart with a torn line', async () => {
  await using folder = await temporaryFolder();
  {
    await using table = await PinTable.open(folder.path);
    await Promise.all([table.pin('c /a'), table.pin('c /b'), table.pin('c /b')]);
    expect(table.covers('c /a ["de"]')).toBe(true);
    expect(table.covers('c /ab')).toBe(false);
    expect(table.covers('d /a')).toBe(false);
    expect(await table.unpin('c /b')).toEqual(['c /b']);
  }
  await appendFile(join(folder.path, 'pins.log'), '+');
  await using again = await PinTable.open(folder.path);
  expect(again.keys.toSorted()).toEqual(['c /a', 'c /a ["de"]']);
  expect(await again.unpin('c /a')).toHaveLength(2);
  expect(again.covers('c /a')).toBe(false);
});
