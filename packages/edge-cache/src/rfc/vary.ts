import { fieldLines, fieldValue, type HeaderFields, listMembers } from './header-fields.ts';

/** The request fields that a response was chosen by, in lower case, sorted, once each. */
export function varyNames(fields: HeaderFields): readonly string[] {
  const names = new Set<string>();
  for (const line of fieldLines(fields, 'vary')) {
    for (const name of listMembers(line)) names.add(name.toLowerCase());
  }
  return [...names].toSorted();
}

/**
 * The text that tells variants apart: the values of those fields, unambiguous whatever they hold.
 * White space around commas says nothing (RFC 9111 §4.1) and is taken out.
 */
export function variantKey(names: readonly string[], request: HeaderFields): string {
  return JSON.stringify(
    names.map((name) => {
      const value = fieldValue(request, name);
      return value === undefined ? null : listMembers(value).join(',');
    }),
  );
}
