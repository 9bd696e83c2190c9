/** The value of an attribute, as it stands in the list. */
export interface AttributeValue {
  readonly text: string;
  readonly quoted: boolean;
}

const nameForm = /^[A-Z0-9-]+$/;

/**
 * Reads an attribute list (RFC 8216bis §4.2). What comes before the first thing that is no
 * attribute is kept; `malformed` is then where that is. Of a repeated name the first counts.
 */
export function parseAttributes(text: string): {
  readonly attributes: ReadonlyMap<string, AttributeValue>;
  readonly malformed: string | undefined;
} {
  const attributes = new Map<string, AttributeValue>();
  let malformed: string | undefined;
  let at = 0;
  while (at < text.length) {
    const start = at;
    const equals = text.indexOf('=', at);
    // Some servers write a blank after the comma; nothing else could be meant.
    const name = equals === -1 ? '' : text.slice(at, equals).trim();
    if (!nameForm.test(name)) return { attributes, malformed: text.slice(start, start + 40) };
    let value: AttributeValue;
    if (text[equals + 1] === '"') {
      const end = text.indexOf('"', equals + 2);
      if (end === -1) return { attributes, malformed: text.slice(start, start + 40) };
      value = { text: text.slice(equals + 2, end), quoted: true };
      at = end + 1;
    } else {
      const comma = text.indexOf(',', equals);
      at = comma === -1 ? text.length : comma;
      value = { text: text.slice(equals + 1, at).trim(), quoted: false };
    }
    if (attributes.has(name)) malformed ??= `${name} again`;
    else attributes.set(name, value);
    if (at < text.length && text[at] !== ',') {
      return { attributes, malformed: text.slice(start, start + 40) };
    }
    at += 1;
  }
  return { attributes, malformed };
}
