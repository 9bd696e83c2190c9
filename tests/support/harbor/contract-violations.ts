import { isRecord } from '@tapline/base';
import type { Schema, Swagger } from './swagger.ts';

/**
 * What in `value` is against the schema, one line each with its place. Fields that the schema does
 * not name are against it, and so are values that its description does not list.
 */
export function contractViolations(
  swagger: Swagger,
  declared: Schema,
  { value, at }: { readonly value: unknown; readonly at: string },
): readonly string[] {
  const schema = swagger.resolve(declared);
  if (value === null) {
    return schema['x-nullable'] === true ? [] : [`${at} must not be null`];
  }
  // A filter's value is of the type that the filter's type says; the contract leaves it open.
  if (schema.type === undefined && schema.properties === undefined) return [];
  switch (schema.type ?? 'object') {
    case 'object':
      return ofObject(swagger, schema, { value, at });
    case 'array':
      if (!Array.isArray(value)) return [`${at} is no array`];
      return value.flatMap((item, index) =>
        contractViolations(swagger, schema.items ?? {}, { value: item, at: `${at}[${index}]` }),
      );
    case 'string':
      if (typeof value !== 'string') return [`${at} is no string`];
      return ofString(schema, { value, at });
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${at} is no boolean`];
    case 'integer':
      return Number.isSafeInteger(value) ? [] : [`${at} is no integer`];
    case 'number':
      return typeof value === 'number' ? [] : [`${at} is no number`];
    default:
      return [`${at} has the type ${schema.type ?? ''}, which is not known`];
  }
}

function ofObject(
  swagger: Swagger,
  schema: Schema,
  { value, at }: { readonly value: unknown; readonly at: string },
): readonly string[] {
  if (!isRecord(value)) return [`${at} is no object`];
  const { properties = {}, additionalProperties, required = [] } = schema;
  const missing = required.filter((name) => value[name] === undefined);
  return [
    ...missing.map((name) => `${at}.${name} is missing`),
    ...Object.entries(value).flatMap(([name, field]) => {
      const place = { value: field, at: `${at}.${name}` };
      const property = properties[name];
      if (property !== undefined) return contractViolations(swagger, property, place);
      if (typeof additionalProperties === 'object') {
        return contractViolations(swagger, additionalProperties, place);
      }
      return additionalProperties === true ? [] : [`${at}.${name} is not in the contract`];
    }),
  ];
}

function ofString(
  schema: Schema,
  { value, at }: { readonly value: string; readonly at: string },
): readonly string[] {
  if (schema.maxLength !== undefined && value.length > schema.maxLength) {
    return [`${at} is longer than ${schema.maxLength}`];
  }
  if (schema.format === 'date-time' && Number.isNaN(Date.parse(value))) {
    return [`${at} is no date-time`];
  }
  const listed = schema.enum?.map(String) ?? listedValues(schema.description ?? '');
  return listed === undefined || listed.includes(value)
    ? []
    : [`${at} is ${JSON.stringify(value)}, none of ${listed.join(', ')}`];
}

/** Harbor's contract has its enumerations in prose: "The valid values are manual, event_based and scheduled." */
export function listedValues(description: string): readonly string[] | undefined {
  const [, list] =
    /(?:valid values are|Possible actions are) ([^.]+)\./i.exec(description) ??
    /^The level of the robot, (project or system)$/.exec(description) ??
    [];
  return list
    ?.split(/,\s*(?:and\s+|or\s+)?|\s+and\s+|\s+or\s+/)
    .map((word) => word.trim().replaceAll('"', ''))
    .filter((word) => word !== '');
}
