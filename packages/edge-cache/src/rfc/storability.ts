import { listedFields } from './cache-control.ts';
import { fieldLines, fieldValue, type HeaderFields, listMembers } from './header-fields.ts';
import { isExplicit } from './freshness.ts';
import type { EffectiveControl } from './targeted-control.ts';

/** Codes whose meaning for caches is known, which `must-understand` asks for. */
const understood: ReadonlySet<number> = new Set([
  200, 203, 204, 206, 300, 301, 302, 303, 304, 307, 308, 404, 405, 410, 414, 501,
]);

export interface StorabilityInput {
  readonly method: string;
  readonly requestFields: HeaderFields;
  readonly status: number;
  readonly fields: HeaderFields;
  readonly control: EffectiveControl;
  readonly responseTimeMs: number;
}

/** Why a response is not kept; the value is what metrics and `Cache-Status` name. */
export type NotStored =
  | 'method'
  | 'status'
  | 'no-store'
  | 'private'
  | 'authorization'
  | 'vary'
  | 'no-freshness';

/** Undefined where a shared cache may keep the response (RFC 9111 §3), otherwise why not. */
export function whyNotStored(input: StorabilityInput): NotStored | undefined {
  const { status, fields, control, requestFields } = input;
  const { directives } = control;
  if (input.method !== 'GET') return 'method';
  if (status < 200 || status === 206 || status === 304 || status > 599) return 'status';
  if (directives.has('must-understand')) {
    if (!understood.has(status)) return 'status';
  } else if (directives.has('no-store')) return 'no-store';
  // `private="field"` keeps those fields out and lets the rest in (§5.2.2.7).
  if (directives.has('private') && listedFields(directives, 'private').length === 0) {
    return 'private';
  }
  if (fieldValue(requestFields, 'authorization') !== undefined) {
    const allowed = ['public', 's-maxage', 'must-revalidate'].some((name) => directives.has(name));
    if (!allowed) return 'authorization';
  }
  if (fieldLines(fields, 'vary').some((line) => listMembers(line).includes('*'))) return 'vary';
  if (isExplicit(input) || hasValidator(fields) || directives.has('public')) return undefined;
  return 'no-freshness';
}

function hasValidator(fields: HeaderFields): boolean {
  return (
    fieldValue(fields, 'etag') !== undefined || fieldValue(fields, 'last-modified') !== undefined
  );
}
