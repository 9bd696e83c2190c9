import { TaplineError } from '@tapline/base';
import { z } from 'zod';

/** A Kubernetes structural schema: OpenAPI 3.0 without references, one type at each place. */
export interface StructuralSchema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly format?: string;
  readonly nullable?: boolean;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: StructuralSchema;
  readonly properties?: Readonly<Record<string, StructuralSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: StructuralSchema;
  readonly anyOf?: readonly StructuralSchema[];
  readonly 'x-kubernetes-int-or-string'?: true;
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-map-type'?: 'atomic' | 'granular';
}

type JsonSchema = Readonly<Record<string, unknown>>;

const kept = [
  'description',
  'default',
  'enum',
  'pattern',
  'format',
  'nullable',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'required',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
] as const;

/** The structural schema of a Zod schema's input; what has none is an error of the definition. */
export function structuralSchema(schema: z.ZodType): StructuralSchema {
  return convert(z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input' }), '');
}

function convert(json: JsonSchema, path: string): StructuralSchema {
  const result: Record<string, unknown> = {};
  for (const key of kept) if (json[key] !== undefined) result[key] = json[key];
  // A format says it better than the expression that Zod checks it by.
  if (result['format'] === 'date-time') delete result['pattern'];
  if (json['type'] === 'integer') {
    result['format'] = 'int64';
    if (result['maximum'] === Number.MAX_SAFE_INTEGER) delete result['maximum'];
    if (result['minimum'] === Number.MIN_SAFE_INTEGER) delete result['minimum'];
  }
  const choices = asSchemas(json['anyOf']);
  if (choices !== undefined) return { ...result, ...intOrString(choices, path) };
  if (json['type'] === undefined) {
    if (Array.isArray(json['enum'])) return { ...result, type: 'string' };
    if (Object.keys(json).every((key) => key === 'description')) {
      return { ...result, 'x-kubernetes-preserve-unknown-fields': true };
    }
    throw new TaplineError('invalid_schema', `schema at ${path || 'the root'} has no single type`);
  }
  result['type'] = json['type'];
  const items = json['items'];
  if (items !== undefined) result['items'] = convert(items as JsonSchema, `${path}[]`);
  const properties = json['properties'];
  if (properties !== undefined) {
    result['properties'] = Object.fromEntries(
      Object.entries(properties as Record<string, JsonSchema>).map(([name, property]) => [
        name,
        convert(property, `${path}.${name}`),
      ]),
    );
  }
  const additional = json['additionalProperties'];
  if (typeof additional === 'object' && additional !== null) {
    result['additionalProperties'] = convert(additional as JsonSchema, `${path}{}`);
  }
  return result;
}

/** The one union a structural schema knows. */
function intOrString(choices: readonly JsonSchema[], path: string): StructuralSchema {
  const types = choices
    .map((choice) => String(choice['type']))
    .toSorted((a, b) => (a < b ? -1 : 1));
  if (types.length !== 2 || types[0] !== 'integer' || types[1] !== 'string') {
    throw new TaplineError(
      'invalid_schema',
      `schema at ${path} is a union of ${types.join(' and ')}; only integer and string is possible`,
    );
  }
  // Bounds apply to numbers and patterns to strings only, so both can stand beside the union.
  const bounds: Record<string, unknown> = {};
  for (const choice of choices) {
    for (const key of ['pattern', 'minLength', 'maxLength', 'minimum', 'maximum'] as const) {
      const bound = choice[key];
      if (bound !== undefined && bound !== Number.MAX_SAFE_INTEGER) bounds[key] = bound;
    }
  }
  return {
    ...bounds,
    'x-kubernetes-int-or-string': true,
    anyOf: [{ type: 'integer' }, { type: 'string' }],
  };
}

function asSchemas(value: unknown): readonly JsonSchema[] | undefined {
  return Array.isArray(value) ? (value as readonly JsonSchema[]) : undefined;
}
