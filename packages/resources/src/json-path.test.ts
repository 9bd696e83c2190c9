import { expect, test } from 'vitest';
import { deliveryResource } from './kinds/delivery.ts';
import { deviceResource } from './kinds/device.ts';
import { installResource } from './kinds/install.ts';
import { packageResource } from './kinds/package.ts';
import { tokenResource } from './kinds/token.ts';
import { parseJsonPath, readJsonPath } from './json-path.ts';

function read(path: string, value: unknown): unknown {
  const parsed = parseJsonPath(path);
  return parsed === undefined ? 'not a path' : readJsonPath(parsed, value);
}

test('reads fields, indexes and the item of a list with a field', () => {
  const object = {
    spec: { a: { b: 3 } },
    status: {
      conditions: [
        { type: 'Built', status: 'True' },
        { type: 'Ready', reason: 'Why' },
      ],
    },
  };
  expect(read('.spec.a.b', object)).toBe(3);
  expect(read('.status.conditions[?(@.type=="Ready")].reason', object)).toBe('Why');
  expect(read('.status.conditions[0].status', object)).toBe('True');
});

test('what is not there is undefined, also inherited properties', () => {
  expect(read('.spec.x.y', { spec: {} })).toBeUndefined();
  expect(read('.constructor', {})).toBeUndefined();
  expect(read('.a[?(@.type=="b")].c', { a: 'text' })).toBeUndefined();
});

test.each(['', 'spec', '.a[*]', '.a..b', '.a[?(@.x>1)]'])('%j is not of the subset', (path) => {
  expect(parseJsonPath(path)).toBeUndefined();
});

test('every column of every kind is of the subset', () => {
  const kinds = [deliveryResource, deviceResource, installResource, packageResource, tokenResource];
  for (const { columns } of kinds) {
    for (const { jsonPath } of columns) expect(parseJsonPath(jsonPath), jsonPath).toBeDefined();
  }
});
