import { deviceResource } from '@tapline/resources';
import { describe, expect, test } from 'vitest';
import { formatAge } from './format-age.ts';
import { formatTable } from './format-table.ts';
import { columnsOf, objectCells } from './object-rows.ts';

const now = Date.UTC(2026, 0, 10, 12);
const ago = (ms: number): string => new Date(now - ms).toISOString();

describe('formatAge', () => {
  test.each([
    [0, '0s'],
    [59_000, '59s'],
    [200_000, '3m20s'],
    [3_600_000 * 2, '2h'],
    [86_400_000 * 2 + 3_600_000 * 4, '2d4h'],
    [86_400_000 * 40, '40d'],
    [-7_200_000, 'in 2h'],
  ])('%d ms ago is %s', (ms, text) => {
    expect(formatAge(ago(ms), now)).toBe(text);
  });
});

test('a table of devices has the columns of the kind, wide ones on request', () => {
  const object = {
    apiVersion: 'tapline.dev/v1alpha1',
    kind: 'Device',
    metadata: { name: 'ipad-1', creationTimestamp: ago(60_000) },
    spec: { platform: 'linux/arm64', role: 'device' },
    status: { presence: { connected: true, epoch: 3, since: ago(5000) } },
  };
  const columns = columnsOf(deviceResource, false);
  const table = formatTable(
    ['NAME', ...columns.map((column) => column.name.toUpperCase())],
    [objectCells(columns, object, now)],
  );
  expect(table).toBe(
    'NAME     PLATFORM      CONNECTED   SINCE   AGE\nipad-1   linux/arm64   true        5s      1m\n',
  );
  expect(objectCells(columnsOf(deviceResource, true), object, now)).toContain('3');
});
