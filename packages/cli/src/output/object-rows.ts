import { formatAge } from '@tapline/base';
import {
  type ApiObject,
  parseJsonPath,
  type PrinterColumn,
  readJsonPath,
  type ResourceDefinition,
} from '@tapline/resources';

/** The columns a table of these objects has; wide adds those of priority 1. */
export function columnsOf(definition: ResourceDefinition, wide: boolean): readonly PrinterColumn[] {
  return definition.columns.filter((column) => wide || (column.priority ?? 0) === 0);
}

/** One object's cells: its name, then a cell for each column. */
export function objectCells(
  columns: readonly PrinterColumn[],
  object: ApiObject,
  nowMs: number,
): readonly string[] {
  return [object.metadata.name, ...columns.map((column) => cell(column, object, nowMs))];
}

function cell(column: PrinterColumn, object: ApiObject, nowMs: number): string {
  const path = parseJsonPath(column.jsonPath);
  const value = path === undefined ? undefined : readJsonPath(path, object);
  switch (typeof value) {
    case 'string':
      return column.type === 'date' ? formatAge(value, nowMs) : value;
    case 'number':
      return column.type === 'number' ? String(Number(value.toPrecision(3))) : String(value);
    case 'boolean':
      return String(value);
    case 'undefined':
      return '<none>';
    default:
      return value === null ? '<none>' : JSON.stringify(value);
  }
}
