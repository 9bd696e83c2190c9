import {
  apiVersionOf,
  bodyValidator,
  type BodyValidator,
  isPlainDefinition,
  type JsonPath,
  type KindDefinition,
  objectSchema,
  parseJsonPath,
  type PrinterColumn,
  type ScalePaths,
  type StructuralSchema,
} from '@tapline/resources';
import { TaplineError } from '@tapline/base';

export interface CompiledColumn extends PrinterColumn {
  readonly path: JsonPath;
}

/** A definition with everything that requests need, worked out once. */
export interface ServedKind {
  readonly definition: KindDefinition;
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly apiVersion: string;
  readonly namespaced: boolean;
  /** Whether status is a subresource, which only `/status` writes. */
  readonly hasStatus: boolean;
  readonly scale: ScalePaths | undefined;
  /** Keys of its objects in the store begin with this. */
  readonly prefix: string;
  /** The text of every stored object begins with this, so that a revision can be put in after it. */
  readonly head: string;
  readonly schema: StructuralSchema;
  /** Checks and defaults every field beside apiVersion, kind and metadata. */
  readonly validate: BodyValidator;
  readonly selectable: readonly string[];
  readonly columns: readonly CompiledColumn[];
}

/** Compiles a definition. */
export function serveKind(definition: KindDefinition): ServedKind {
  const { group, version, kind, plural } = definition;
  const apiVersion = apiVersionOf(definition);
  const plain = isPlainDefinition(definition);
  return {
    definition,
    group,
    version,
    kind,
    plural,
    apiVersion,
    namespaced: definition.scope === 'Namespaced',
    hasStatus: !plain,
    scale: plain ? undefined : definition.scale,
    prefix: `${group === '' ? 'core' : group}/${plural}/`,
    head: `${JSON.stringify({ apiVersion, kind }).slice(0, -1)},"metadata":{`,
    schema: objectSchema(definition, { metadata: 'full' }),
    validate: bodyValidator(definition),
    selectable: ['metadata.name', 'metadata.namespace', ...definition.selectableFields],
    columns: definition.columns.map((column) => {
      const path = parseJsonPath(column.jsonPath);
      if (path !== undefined) return { ...column, path };
      throw new TaplineError(
        'invalid_schema',
        `column ${column.name} of ${kind}: ${column.jsonPath} is not a path`,
      );
    }),
  };
}

/** The key of an object in the store. */
export function keyOf(kind: ServedKind, namespace: string | undefined, name: string): string {
  return kind.namespaced ? `${kind.prefix}${namespace}/${name}` : `${kind.prefix}${name}`;
}
