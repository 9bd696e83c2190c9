import type { ApiObject, ResourceDefinition } from '@tapline/resources';
import { formatTable } from './format-table.ts';
import { columnsOf, objectCells } from './object-rows.ts';

export interface PrintOptions {
  readonly format: string;
  readonly noHeaders: boolean;
  readonly nowMs: number;
  /** Before each name: whether rows of several kinds stand together. */
  readonly withKind: boolean;
}

/** Objects of one kind as the user asked to see them; the text ends with a newline. */
export async function printObjects(
  definition: ResourceDefinition,
  objects: readonly ApiObject[],
  options: PrintOptions,
): Promise<string> {
  const shown = objects.map(withoutManagedFields);
  switch (options.format) {
    case 'json':
      return `${JSON.stringify(listOf(shown), undefined, 2)}\n`;
    case 'yaml':
      return (await import('yaml')).stringify(listOf(shown), { aliasDuplicateObjects: false });
    case 'name':
      return objects.map((object) => `${qualifiedName(definition, object)}\n`).join('');
    default: {
      const columns = columnsOf(definition, options.format === 'wide');
      const rows = objects.map((object) => {
        const [name = '', ...cells] = objectCells(columns, object, options.nowMs);
        return [options.withKind ? qualifiedName(definition, object) : name, ...cells];
      });
      const header = ['NAME', ...columns.map((column) => column.name.toUpperCase())];
      const text = formatTable(header, rows);
      return options.noHeaders ? text.slice(text.indexOf('\n') + 1) : text;
    }
  }
}

/** Who owns which field is for machines, and longer than the rest; kubectl leaves it out, too. */
function withoutManagedFields(object: ApiObject): ApiObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

/** One object stands for itself; none or several are a List, as with kubectl. */
function listOf(objects: readonly ApiObject[]): unknown {
  const [only] = objects;
  if (only !== undefined && objects.length === 1) return only;
  return { apiVersion: 'v1', kind: 'List', metadata: {}, items: objects };
}

/** `delivery.tapline.dev/jq`, as kubectl's `-o name`. */
export function qualifiedName(definition: ResourceDefinition, object: ApiObject): string {
  const group = definition.group === '' ? '' : `.${definition.group}`;
  return `${definition.singular}${group}/${object.metadata.name}`;
}
