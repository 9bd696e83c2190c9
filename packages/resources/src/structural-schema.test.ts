import { expect, test } from 'vitest';
import { z } from 'zod';
import { bodyValidator } from './body-validator.ts';
import { customResourceDefinition } from './custom-resource-definition.ts';
import { deliveryResource } from './kinds/delivery.ts';
import { deviceResource } from './kinds/device.ts';
import { installResource } from './kinds/install.ts';
import { packageResource } from './kinds/package.ts';
import { tokenResource } from './kinds/token.ts';
import { structuralSchema, type StructuralSchema } from './structural-schema.ts';

const kinds = [deliveryResource, deviceResource, installResource, packageResource, tokenResource];

test('a schema has one type at each place and keeps its limits', () => {
  const schema = z.strictObject({
    name: z.string().min(1).max(5).describe('What.'),
    count: z.int().min(0),
    share: z.union([z.int().min(0), z.string().regex(/%$/)]),
    at: z.iso.datetime({ offset: true }).nullable().optional(),
  });
  expect(structuralSchema(schema)).toEqual({
    type: 'object',
    required: ['name', 'count', 'share'],
    properties: {
      name: { type: 'string', minLength: 1, maxLength: 5, description: 'What.' },
      count: { type: 'integer', format: 'int64', minimum: 0 },
      share: {
        'x-kubernetes-int-or-string': true,
        anyOf: [{ type: 'integer' }, { type: 'string' }],
        minimum: 0,
        pattern: '%$',
      },
      at: { type: 'string', format: 'date-time', nullable: true },
    },
  });
});

test('another union than integer and string is refused', () => {
  const schema = z.object({ a: z.union([z.boolean(), z.string()]) });
  expect(() => structuralSchema(schema)).toThrow('.a is a union of boolean and string');
});

// apiextensions.k8s.io: what makes a schema structural.
function problems(schema: StructuralSchema, path: string): readonly string[] {
  const found: string[] = [];
  const open =
    schema['x-kubernetes-int-or-string'] ?? schema['x-kubernetes-preserve-unknown-fields'];
  if (schema.type === undefined && open === undefined) found.push(`${path}: no type`);
  if (schema.properties !== undefined && schema.additionalProperties !== undefined) {
    found.push(`${path}: properties and additionalProperties`);
  }
  if (schema.type === 'array' && schema.items === undefined) found.push(`${path}: no items`);
  if (schema['x-kubernetes-list-type'] === 'map') {
    for (const key of schema['x-kubernetes-list-map-keys'] ?? []) {
      if (schema.items?.required?.includes(key) !== true) found.push(`${path}: key ${key}`);
    }
  }
  for (const [name, one] of Object.entries(schema.properties ?? {})) {
    found.push(...problems(one, `${path}.${name}`));
  }
  if (schema.items !== undefined) found.push(...problems(schema.items, `${path}[]`));
  return found;
}

test.each(kinds.map((kind) => [kind.kind, kind] as const))(
  "%s's definition is what Kubernetes takes",
  (_name, kind) => {
    const crd = customResourceDefinition(kind) as {
      metadata: { name: string };
      spec: { versions: [{ schema: { openAPIV3Schema: StructuralSchema } }] };
    };
    expect(crd.metadata.name).toBe(`${kind.plural}.${kind.group}`);
    expect(problems(crd.spec.versions[0].schema.openAPIV3Schema, kind.kind)).toEqual([]);
  },
);

test('a validator names each field that is wrong, and how', () => {
  const result = bodyValidator(deliveryResource)({
    spec: { package: { formula: 1, x: 2 }, strategy: { quorum: true, waves: [] } },
  });
  expect(result).toMatchObject({ kind: 'invalid' });
  const issues = result.kind === 'invalid' ? result.issues : [];
  expect(issues).toEqual([
    { path: ['spec', 'package', 'formula'], problem: { kind: 'type', expected: 'string' } },
    { path: ['spec', 'package'], problem: { kind: 'unknown', keys: ['x'] } },
    { path: ['spec', 'selector'], problem: { kind: 'required' } },
    {
      path: ['spec', 'strategy', 'waves'],
      problem: { kind: 'invalid', limit: 'must be of a number of items of at least 1' },
    },
    {
      path: ['spec', 'strategy', 'quorum'],
      problem: { kind: 'type', expected: 'number or string' },
    },
  ]);
});
