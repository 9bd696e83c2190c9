import type { FieldIssue } from '@tapline/resources';
import type { Cause } from './api-error.ts';
import { badRequest, invalid } from './api-error.ts';
import { fieldPath } from './field-path.ts';
import type { ServedKind } from './served-kind.ts';

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore';

export interface BodyOptions {
  readonly name: string;
  readonly fieldValidation: FieldValidation;
  readonly warn?: ((message: string) => void) | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * The fields beside metadata, checked and defaulted. Unknown fields are refused, or dropped with or
 * without a warning, as `fieldValidation` says; everything else that is wrong is `invalid`.
 */
export function validateBody(kind: ServedKind, fields: Fields, options: BodyOptions): Fields {
  const result = kind.validate(fields);
  if (result.kind === 'valid') return result.body;
  const unknown = unknownFields(result.issues);
  const droppable = [...unknown, ...nulls(result.issues, fields)];
  if (unknown.length > 0) reportUnknown(kind, unknown, options);
  if (droppable.length === 0) throw refusal(kind, fields, result.issues, options.name);
  const pruned = structuredClone(fields);
  for (const path of droppable) drop(pruned, path);
  const again = kind.validate(pruned);
  if (again.kind === 'valid') return again.body;
  throw refusal(kind, pruned, again.issues, options.name);
}

/** Kubernetes's wording, which kubectl shows: `strict decoding error: unknown field "spec.x"`. */
export function strictDecodingError(kind: ServedKind, problems: readonly string[]): Error {
  const list = problems.join(', ');
  return badRequest(
    `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: strict decoding error: ${list}`,
    problems.map((message) => ({
      reason: 'FieldValueInvalid',
      message,
      field: /"([^"]*)"/.exec(message)?.[1] ?? '',
    })),
  );
}

function reportUnknown(
  kind: ServedKind,
  paths: readonly (readonly (string | number)[])[],
  options: BodyOptions,
): void {
  const problems = paths.map((path) => `unknown field "${fieldPath(path)}"`);
  switch (options.fieldValidation) {
    case 'Strict':
      throw strictDecodingError(kind, problems);
    case 'Warn':
      for (const problem of problems) options.warn?.(problem);
      break;
    case 'Ignore':
      break;
  }
}

function unknownFields(issues: readonly FieldIssue[]): readonly (string | number)[][] {
  return issues.flatMap(({ path, problem }) =>
    problem.kind === 'unknown' ? problem.keys.map((key) => [...path, key]) : [],
  );
}

/** Kubernetes drops a null where a field cannot be null, so that clients may write unset fields. */
function nulls(issues: readonly FieldIssue[], fields: Fields): readonly (string | number)[][] {
  return issues
    .filter(({ path, problem }) => problem.kind !== 'unknown' && valueAt(fields, path) === null)
    .map(({ path }) => [...path])
    .filter((path) => typeof path.at(-1) === 'string');
}

function refusal(
  kind: ServedKind,
  fields: Fields,
  issues: readonly FieldIssue[],
  name: string,
): Error {
  return invalid(
    kind,
    name,
    issues.map((issue) => causeOf(issue, fields)),
  );
}

function causeOf({ path, problem }: FieldIssue, fields: Fields): Cause {
  const field = fieldPath(path);
  const value = shown(valueAt(fields, path));
  switch (problem.kind) {
    case 'required':
      return { reason: 'FieldValueRequired', message: 'Required value', field };
    case 'type':
      return {
        reason: 'FieldValueTypeInvalid',
        message: `Invalid value: ${value}: must be of type ${problem.expected}`,
        field,
      };
    case 'unsupported':
      return {
        reason: 'FieldValueNotSupported',
        message: `Unsupported value: ${value}: supported values: ${problem.values.map((one) => JSON.stringify(one)).join(', ')}`,
        field,
      };
    case 'unknown':
      return { reason: 'FieldValueInvalid', message: 'unknown field', field };
    case 'invalid':
      return {
        reason: 'FieldValueInvalid',
        message: `Invalid value: ${value}: ${problem.limit}`,
        field,
      };
  }
}

const shownLength = 128;

/** A value in a message: bounded, because the message goes back to who sent it and into logs. */
function shown(value: unknown): string {
  if (value === undefined) return 'null';
  const text = JSON.stringify(value);
  return text.length > shownLength ? `${text.slice(0, shownLength)}…` : text;
}

function valueAt(fields: Fields, path: readonly (string | number)[]): unknown {
  let value: unknown = fields;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) {
      return undefined;
    }
    value = (value as Readonly<Record<string | number, unknown>>)[step];
  }
  return value;
}

function drop(fields: Fields, path: readonly (string | number)[]): void {
  const parent = valueAt(fields, path.slice(0, -1));
  const last = path.at(-1);
  if (typeof parent === 'object' && parent !== null && last !== undefined) {
    Reflect.deleteProperty(parent, last);
  }
}
