import { deviceResource } from '@tapline/resources';
import { expect, test } from 'vitest';
import { formatTable } from './format-table.ts';
import { columnsOf, objectCells } from './object-rows.ts';

const now = Date.UTC(2026, 0, 10, 12);
const ago = (ms: number): string => new Date(now - ms).toISOString();

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
    'NAME     PLATFORM      CONNECTED   SINCE   AGE\nipad-1   linux/arm64   true        5s      60s\n',
  );
  expect(objectCells(columnsOf(deviceResource, true), object, now)).toContain('3');
});
