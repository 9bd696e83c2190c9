import type { HeaderFields } from './header-fields.ts';

/** Fields that tell of the stored body or of one connection: a 304 does not change them (§3.2). */
const ofTheBody: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-length',
  'content-md5',
  'content-range',
  'etag',
]);

/** The stored fields after a 304: what it brought replaces all lines of the same name. */
export function updateStoredFields(stored: HeaderFields, update: HeaderFields): HeaderFields {
  const fresh = update.filter(([name]) => !ofTheBody.has(name));
  const replaced = new Set(fresh.map(([name]) => name));
  // An Age is of the response that brought it: without one in the update none is left.
  replaced.add('age');
  return [...stored.filter(([name]) => !replaced.has(name)), ...fresh];
}
