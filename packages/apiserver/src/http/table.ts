import { formatAge } from '@tapline/base';
import { readJsonPath } from '@tapline/resources';
import type { AnyObject } from '../any-object.ts';
import type { CompiledColumn, ServedKind } from '../served-kind.ts';
import { partialObject } from './partial-object.ts';

/** How much of the object goes with its row. */
export type IncludeObject = 'Metadata' | 'None' | 'Object';

export interface TableOptions {
  readonly includeObject: IncludeObject;
  readonly nowMs: number;
  readonly resourceVersion: string;
  readonly columns: boolean;
  readonly continue?: string | undefined;
  readonly remaining?: number | undefined;
}

/** Objects as meta/v1 Table, what `kubectl get` prints. */
export function tableOf(
  kind: ServedKind,
  objects: readonly AnyObject[],
  options: TableOptions,
): Readonly<Record<string, unknown>> {
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: {
      resourceVersion: options.resourceVersion,
      ...(options.continue === undefined ? {} : { continue: options.continue }),
      ...(options.remaining === undefined ? {} : { remainingItemCount: options.remaining }),
    },
    columnDefinitions: options.columns ? columnDefinitions(kind) : null,
    rows: objects.map((object) => ({
      cells: [
        object.metadata.name,
        ...kind.columns.map((column) => cell(column, object, options.nowMs)),
      ],
      object: shown(object, options.includeObject),
    })),
  };
}

function columnDefinitions(kind: ServedKind): readonly unknown[] {
  return [
    {
      name: 'Name',
      type: 'string',
      format: 'name',
      description: 'The name of the object.',
      priority: 0,
    },
    ...kind.columns.map(({ name, type, description, priority = 0 }) => ({
      name,
      type,
      format: '',
      description,
      priority,
    })),
  ];
}

function cell(column: CompiledColumn, object: AnyObject, nowMs: number): unknown {
  const value = readJsonPath(column.path, object);
  if (value === undefined || value === null) return column.type === 'date' ? '<unknown>' : null;
  switch (column.type) {
    case 'date':
      return typeof value === 'string' ? formatAge(value, nowMs) : '<invalid>';
    case 'integer':
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'string':
      return typeof value === 'string' ? value : JSON.stringify(value);
  }
}

function shown(object: AnyObject, include: IncludeObject): unknown {
  switch (include) {
    case 'None':
      return undefined;
    case 'Object':
      return object;
    case 'Metadata':
      return partialObject(object);
  }
}
