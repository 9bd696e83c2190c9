import { namesTag, tagsMatchStrongly } from './entity-tag.ts';
import { fieldValue, type HeaderFields } from './header-fields.ts';
import { parseHttpDate } from './http-date.ts';

/** What a client has already, judged against a stored response. */
export interface StoredValidators {
  readonly fields: HeaderFields;
  readonly responseTimeMs: number;
}

/** Whether 304 answers the request (RFC 9110 §13.2.2: `If-None-Match` goes before the date). */
export function isNotModified(request: HeaderFields, stored: StoredValidators): boolean {
  const names = fieldValue(request, 'if-none-match');
  if (names !== undefined) return namesTag(names, fieldValue(stored.fields, 'etag'));
  const since = parseHttpDate(fieldValue(request, 'if-modified-since'), stored.responseTimeMs);
  if (since === undefined) return false;
  const modified =
    parseHttpDate(fieldValue(stored.fields, 'last-modified'), stored.responseTimeMs) ??
    parseHttpDate(fieldValue(stored.fields, 'date'), stored.responseTimeMs) ??
    stored.responseTimeMs;
  return modified <= since;
}

/** Whether `If-Range` lets a range be sent (RFC 9110 §13.1.5: strongly, dates exactly). */
export function rangeIsOfStored(request: HeaderFields, stored: StoredValidators): boolean {
  const condition = fieldValue(request, 'if-range');
  if (condition === undefined) return true;
  if (condition.includes('"')) {
    const tag = fieldValue(stored.fields, 'etag');
    return tag !== undefined && tagsMatchStrongly(condition, tag);
  }
  const modified = fieldValue(stored.fields, 'last-modified');
  return modified !== undefined && modified === condition;
}
