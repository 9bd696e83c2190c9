import { type CacheDirectives, parseCacheControl, splitOutsideQuotes } from './cache-control.ts';
import { fieldValue, type HeaderFields } from './header-fields.ts';

/** Fields that speak to this cache rather than to all, the most specific first (RFC 9213 §2.2). */
const targetedFields = ['tapline-cdn-cache-control', 'cdn-cache-control'] as const;

const knownSfDirective =
  /^[a-z*][a-z0-9_\-.*]*(?:=(?:-?\d{1,15}|"(?:[^"\\]|\\["\\])*"|\?[01]|[A-Za-z*][^\s,;"]*))?(?:;.*)?$/;

/** The directives that count for this cache, and whether they came from a field meant for it. */
export interface EffectiveControl {
  readonly directives: CacheDirectives;
  /** `Expires` and `Cache-Control` are then ignored. */
  readonly targeted: boolean;
}

/**
 * What governs a response. A targeted field that is no structured dictionary is ignored as a whole
 * (RFC 9213 §2.1). `Surrogate-Control`, the older way, counts after them; a member of it that names
 * another device is not for this cache.
 */
export function effectiveControl(fields: HeaderFields, device: string): EffectiveControl {
  for (const name of targetedFields) {
    const value = fieldValue(fields, name);
    if (value === undefined) continue;
    const directives = parseDictionary(value);
    if (directives !== undefined && directives.size > 0) return { directives, targeted: true };
  }
  const surrogate = fieldValue(fields, 'surrogate-control');
  if (surrogate !== undefined) {
    const directives = parseCacheControl(
      splitOutsideQuotes(surrogate, ',')
        .flatMap((member) => memberFor(member, device) ?? [])
        .join(','),
    );
    if (speaksOfStorage(directives)) return { directives, targeted: true };
  }
  return { directives: parseCacheControl(fieldValue(fields, 'cache-control')), targeted: false };
}

/** The part of RFC 8941 dictionaries that cache directives use; parameters are dropped. */
function parseDictionary(value: string): CacheDirectives | undefined {
  const directives = new Map<string, string | true>();
  for (const part of splitOutsideQuotes(value, ',')) {
    const text = part.trim();
    if (!knownSfDirective.test(text)) return undefined;
    const bare = (splitOutsideQuotes(text, ';')[0] ?? '').trim();
    const equals = bare.indexOf('=');
    const name = equals === -1 ? bare : bare.slice(0, equals);
    const argument = equals === -1 ? '?1' : bare.slice(equals + 1);
    // In a dictionary the last of two members with the same key counts (RFC 8941 §4.2.2).
    directives.delete(name);
    if (argument === '?0') continue;
    directives.set(name, argument === '?1' ? true : argument.replaceAll(/^"|"$/g, ''));
  }
  return directives;
}

function memberFor(member: string, device: string): string | undefined {
  const [directive = '', ...parameters] = splitOutsideQuotes(member, ';');
  const target = parameters[0]?.trim();
  return target === undefined || target === '' || target === device ? directive : undefined;
}

function speaksOfStorage(directives: CacheDirectives): boolean {
  return ['max-age', 'no-store', 'no-cache', 'private'].some((name) => directives.has(name));
}
