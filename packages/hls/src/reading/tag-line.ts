/** A line of a playlist that says something. */
export type TagLine =
  | { readonly kind: 'tag'; readonly line: number; readonly name: string; readonly value: string }
  | { readonly kind: 'uri'; readonly line: number; readonly text: string };

/** The tags and URIs of a playlist; comments and empty lines are left out. */
export function* tagLines(text: string): Generator<TagLine> {
  let line = 0;
  let at = 0;
  while (at < text.length) {
    let end = text.indexOf('\n', at);
    if (end === -1) end = text.length;
    const content = text.slice(at, text[end - 1] === '\r' ? end - 1 : end).trim();
    at = end + 1;
    line += 1;
    if (content === '') continue;
    if (!content.startsWith('#')) {
      yield { kind: 'uri', line, text: content };
    } else if (content.startsWith('#EXT')) {
      const colon = content.indexOf(':');
      yield colon === -1
        ? { kind: 'tag', line, name: content.slice(1), value: '' }
        : { kind: 'tag', line, name: content.slice(1, colon), value: content.slice(colon + 1) };
    }
  }
}
