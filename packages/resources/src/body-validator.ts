import { z } from 'zod';
import { isPlainDefinition } from './is-plain-definition.ts';
import type { KindDefinition } from './resource-definition.ts';

/** What is wrong with one field. */
export interface FieldIssue {
  readonly path: readonly (string | number)[];
  readonly problem:
    | { readonly kind: 'required' }
    | { readonly kind: 'type'; readonly expected: string }
    | { readonly kind: 'unsupported'; readonly values: readonly string[] }
    | { readonly kind: 'unknown'; readonly keys: readonly string[] }
    | { readonly kind: 'invalid'; readonly limit: string };
}

export type BodyResult =
  | { readonly kind: 'valid'; readonly body: Readonly<Record<string, unknown>> }
  | { readonly kind: 'invalid'; readonly issues: readonly FieldIssue[] };

/** Checks and defaults every field beside apiVersion, kind and metadata. */
export type BodyValidator = (body: unknown) => BodyResult;

/** The validator of a kind. */
export function bodyValidator(definition: KindDefinition): BodyValidator {
  const schema: z.ZodType = isPlainDefinition(definition)
    ? definition.body
    : z.strictObject({ spec: definition.spec, status: definition.status.optional() });
  return (body) => {
    const result = schema.safeParse(body);
    if (result.success) {
      return { kind: 'valid', body: result.data as Readonly<Record<string, unknown>> };
    }
    return { kind: 'invalid', issues: result.error.issues.flatMap((issue) => toIssue(issue)) };
  };
}

function toIssue(issue: z.core.$ZodIssue): readonly FieldIssue[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  switch (issue.code) {
    case 'invalid_type':
      if (issue.message.endsWith('received undefined')) {
        return [{ path, problem: { kind: 'required' } }];
      }
      return [{ path, problem: { kind: 'type', expected: issue.expected } }];
    case 'unrecognized_keys':
      return [{ path, problem: { kind: 'unknown', keys: issue.keys } }];
    case 'invalid_value':
      return [{ path, problem: { kind: 'unsupported', values: issue.values.map(String) } }];
    case 'too_big':
      return [
        limit(
          path,
          `must be ${issue.origin === 'number' || issue.origin === 'int' ? '' : sizeOf(issue.origin)}at most ${issue.maximum}`,
        ),
      ];
    case 'too_small':
      return [
        limit(
          path,
          `must be ${issue.origin === 'number' || issue.origin === 'int' ? '' : sizeOf(issue.origin)}at least ${issue.minimum}`,
        ),
      ];
    case 'invalid_format':
      return [
        limit(
          path,
          issue.format === 'regex' && issue.pattern !== undefined
            ? `must match ${issue.pattern}`
            : `must be a valid ${issue.format}`,
        ),
      ];
    case 'not_multiple_of':
      return [limit(path, `must be a multiple of ${issue.divisor}`)];
    case 'invalid_union':
      return unionIssues(issue, path);
    case 'invalid_key':
    case 'invalid_element':
      return issue.issues.flatMap((inner) => limit(path, inner.message));
    case 'custom':
      return [limit(path, issue.message)];
  }
}

/** The branch whose type fits says what is wrong; where none does, all types are named. */
function unionIssues(
  issue: z.core.$ZodIssueInvalidUnion,
  path: readonly (string | number)[],
): readonly FieldIssue[] {
  const fitting = issue.errors.find((branch) =>
    branch.every(({ code }) => code !== 'invalid_type'),
  );
  if (fitting !== undefined) {
    return fitting.flatMap((inner) =>
      toIssue(inner).map((one) => ({ ...one, path: [...path, ...one.path] })),
    );
  }
  const expected = issue.errors
    .flat()
    .map((inner) => (inner.code === 'invalid_type' ? inner.expected : inner.code))
    .join(' or ');
  return [{ path, problem: { kind: 'type', expected } }];
}

function limit(path: readonly (string | number)[], text: string): FieldIssue {
  return { path, problem: { kind: 'invalid', limit: text } };
}

function sizeOf(origin: string): string {
  return origin === 'string' ? 'of a length of ' : 'of a number of items of ';
}
