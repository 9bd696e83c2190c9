import { isRecord } from '@tapline/base';
import type { ContentRange } from '../rfc/byte-range.ts';
import type { HeaderField } from '../rfc/header-fields.ts';
import type { StoredHead } from './stored-response.ts';

/** The head of a record; undefined where an earlier version wrote another form, which costs a miss. */
export function parseStoredHead(value: Readonly<Record<string, unknown>>): StoredHead | undefined {
  const { key, fields, tags } = value;
  if (typeof key !== 'string' || !isFields(fields) || !isTexts(tags)) return undefined;
  const status = numberOf(value, 'status');
  const responseTimeMs = numberOf(value, 'responseTimeMs');
  const initialAgeMs = numberOf(value, 'initialAgeMs');
  const lifetimeMs = numberOf(value, 'lifetimeMs');
  const staleWhileRevalidateMs = numberOf(value, 'staleWhileRevalidateMs');
  const staleIfErrorMs = numberOf(value, 'staleIfErrorMs');
  const generation = numberOf(value, 'generation');
  const part = partOf(value['part']);
  if (
    status === undefined ||
    responseTimeMs === undefined ||
    initialAgeMs === undefined ||
    lifetimeMs === undefined ||
    staleWhileRevalidateMs === undefined ||
    staleIfErrorMs === undefined ||
    generation === undefined ||
    part === 'broken'
  ) {
    return undefined;
  }
  return {
    key,
    status,
    fields,
    responseTimeMs,
    initialAgeMs,
    lifetimeMs,
    staleWhileRevalidateMs,
    staleIfErrorMs,
    mustRevalidate: value['mustRevalidate'] === true,
    alwaysRevalidate: value['alwaysRevalidate'] === true,
    forAuthorized: value['forAuthorized'] === true,
    tags,
    generation,
    part,
  };
}

function numberOf(value: Readonly<Record<string, unknown>>, name: string): number | undefined {
  const given = value[name];
  // JSON has no infinity: an age that is not known was written as null.
  if (given === null) return Number.POSITIVE_INFINITY;
  return typeof given === 'number' ? given : undefined;
}

function partOf(value: unknown): ContentRange | 'broken' | undefined {
  if (value === undefined) return undefined;
  if (!isRecord(value)) return 'broken';
  const { start, end, total } = value;
  if (typeof start !== 'number' || typeof end !== 'number') return 'broken';
  if (total !== undefined && typeof total !== 'number') return 'broken';
  return { start, end, total };
}

function isFields(value: unknown): value is readonly HeaderField[] {
  return Array.isArray(value) && value.every((one) => isTexts(one) && one.length === 2);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
