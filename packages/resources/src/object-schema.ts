import { isPlainDefinition } from './is-plain-definition.ts';
import { metadataSchema } from './metadata-schema.ts';
import type { KindDefinition } from './resource-definition.ts';
import { structuralSchema, type StructuralSchema } from './structural-schema.ts';

/** The schema of a kind's whole object; `metadata` with its fields where the reader needs them. */
export function objectSchema(
  definition: KindDefinition,
  options: { readonly metadata: 'opaque' | 'full' },
): StructuralSchema {
  const body = isPlainDefinition(definition) ? structuralSchema(definition.body) : undefined;
  const fields =
    isPlainDefinition(definition) || body !== undefined
      ? (body?.properties ?? {})
      : {
          spec: describe(structuralSchema(definition.spec), 'What is wanted.'),
          status: describe(structuralSchema(definition.status), 'What was observed.'),
        };
  return {
    type: 'object',
    description: definition.description,
    required: body === undefined ? ['spec'] : (body.required ?? []),
    properties: {
      apiVersion: { type: 'string', description: "The API's group and version." },
      kind: { type: 'string', description: 'The kind of the object.' },
      metadata:
        options.metadata === 'full'
          ? metadataSchema
          : { type: 'object', description: metadataSchema.description ?? '' },
      ...fields,
    },
  };
}

function describe(schema: StructuralSchema, description: string): StructuralSchema {
  return schema.description === undefined ? { ...schema, description } : schema;
}
