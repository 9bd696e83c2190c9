/** One paragraph of a Debian control file: field name in lower case → value, lines kept. */
export type ControlParagraph = ReadonlyMap<string, string>;

/** Parses RFC 822-like paragraphs as in Packages files and deb822 sources (deb822(5)). */
export function parseControlFile(text: string): readonly ControlParagraph[] {
  const paragraphs: Map<string, string>[] = [];
  let fields = new Map<string, string>();
  let name: string | undefined;
  function finish(): void {
    if (fields.size > 0) paragraphs.push(fields);
    fields = new Map();
    name = undefined;
  }
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) continue;
    if (line.trim() === '') {
      finish();
    } else if (/^[ \t]/.test(line)) {
      if (name !== undefined) fields.set(name, `${fields.get(name) ?? ''}\n${line.trim()}`);
    } else {
      const colon = line.indexOf(':');
      if (colon < 1) continue;
      name = line.slice(0, colon).toLowerCase();
      fields.set(name, line.slice(colon + 1).trim());
    }
  }
  finish();
  return paragraphs;
}
