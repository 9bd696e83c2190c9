/** A header field; the name is in lower case. */
export type HeaderField = readonly [name: string, value: string];
/** Header fields in the order of the wire. */
export type HeaderFields = readonly HeaderField[];

/** The values of each line with this name. */
export function fieldLines(fields: HeaderFields, name: string): readonly string[] {
  const lines: string[] = [];
  for (const [other, value] of fields) if (other === name) lines.push(value);
  return lines;
}

/** All lines with this name combined as RFC 9110 §5.3 says; undefined without one. */
export function fieldValue(fields: HeaderFields, name: string): string | undefined {
  let combined: string | undefined;
  for (const [other, value] of fields) {
    if (other === name) combined = combined === undefined ? value : `${combined}, ${value}`;
  }
  return combined;
}

/** The members of a comma-separated list, without the empty ones (RFC 9110 §5.6.1). */
export function listMembers(value: string | undefined): readonly string[] {
  if (value === undefined) return [];
  return value
    .split(',')
    .map((member) => member.trim())
    .filter((member) => member !== '');
}
