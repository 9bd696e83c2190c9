import { deltaSeconds } from './cache-control.ts';
import { fieldLines, fieldValue, type HeaderFields } from './header-fields.ts';
import { parseHttpDate } from './http-date.ts';
import type { EffectiveControl } from './targeted-control.ts';

/** Status codes that may be kept without explicit freshness (RFC 9110 §15.1). */
const heuristicallyCacheable: ReadonlySet<number> = new Set([
  200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501,
]);

/** RFC 9111 §4.2.2 suggests a tenth of the time since the last change. */
const heuristicFraction = 0.1;
const maxHeuristicMs = 24 * 60 * 60 * 1000;

export interface FreshnessInput {
  readonly status: number;
  readonly fields: HeaderFields;
  readonly control: EffectiveControl;
  readonly responseTimeMs: number;
}

/** Whether the response says itself how long it is fresh. */
export function isExplicit({ fields, control }: FreshnessInput): boolean {
  const { directives, targeted } = control;
  if (directives.has('s-maxage') || directives.has('max-age')) return true;
  return !targeted && fieldValue(fields, 'expires') !== undefined;
}

/** How long a response is fresh, in ms from when it was made (RFC 9111 §4.2.1). */
export function freshnessLifetimeMs(input: FreshnessInput): number {
  const { fields, control, responseTimeMs, status } = input;
  const { directives, targeted } = control;
  const seconds =
    (targeted ? undefined : deltaSeconds(directives, 's-maxage')) ??
    deltaSeconds(directives, 'max-age');
  if (seconds !== undefined) return seconds * 1000;
  const date = parseHttpDate(fieldValue(fields, 'date'), responseTimeMs) ?? responseTimeMs;
  if (!targeted) {
    const expires = fieldLines(fields, 'expires');
    if (expires.length > 0) {
      // An unreadable date, `0` above all, is one in the past; so are two that disagree.
      const at = parseHttpDate(expires.length === 1 ? expires[0] : undefined, responseTimeMs);
      return at === undefined ? 0 : Math.max(0, at - date);
    }
  }
  const modified = parseHttpDate(fieldValue(fields, 'last-modified'), responseTimeMs);
  if (modified === undefined) return 0;
  if (!heuristicallyCacheable.has(status) && !directives.has('public')) return 0;
  return Math.min(Math.max(0, (date - modified) * heuristicFraction), maxHeuristicMs);
}

/**
 * The age at the time of the response, in ms (RFC 9111 §4.2.3); infinite where the `Age` field is
 * broken. `delayMs` is how long the answer took: pass 0 for one that the origin held on purpose.
 */
export function initialAgeMs(
  fields: HeaderFields,
  { responseTimeMs, delayMs }: { readonly responseTimeMs: number; readonly delayMs: number },
): number {
  const lines = fieldLines(fields, 'age');
  const value = ageSeconds(lines);
  if (value === undefined) return Number.POSITIVE_INFINITY;
  const date = parseHttpDate(fieldValue(fields, 'date'), responseTimeMs) ?? responseTimeMs;
  // Dates have a resolution of a second: what is below it tells nothing of age.
  const apparent = Math.floor(Math.max(0, responseTimeMs - date) / 1000) * 1000;
  return Math.max(apparent, value * 1000 + (lines.length === 0 ? 0 : delayMs));
}

/**
 * RFC 9111 §5.1: of a list the first member counts. Two lines, or members set apart as joined lines
 * are, come of caches that each added one: then nothing is known.
 */
function ageSeconds(lines: readonly string[]): number | undefined {
  if (lines.length === 0) return 0;
  const match = lines.length === 1 ? /^(\d+)(?:,\S*)?$/.exec(lines[0] ?? '') : null;
  return match === null ? undefined : Math.min(Number(match[1]), 2 ** 31);
}
