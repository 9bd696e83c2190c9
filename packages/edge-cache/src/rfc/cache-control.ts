/** Directives by name in lower case; `true` for one without an argument. */
export type CacheDirectives = ReadonlyMap<string, string | true>;

const maxDeltaSeconds = 2 ** 31;

/**
 * Reads `Cache-Control` and fields of its shape. The first of two directives with the same name
 * counts (RFC 9111 §4.2.1); a directive with white space around its `=` is none that we know.
 */
export function parseCacheControl(value: string | undefined): CacheDirectives {
  const directives = new Map<string, string | true>();
  if (value === undefined) return directives;
  for (const part of splitOutsideQuotes(value, ',')) {
    const text = part.trim();
    if (text === '') continue;
    const equals = text.indexOf('=');
    const name = (equals === -1 ? text : text.slice(0, equals)).toLowerCase();
    if (directives.has(name)) continue;
    directives.set(name, equals === -1 ? true : unquoted(text.slice(equals + 1)));
  }
  return directives;
}

/**
 * The seconds of a directive: undefined where it is absent, 0 where its argument is no number of
 * seconds, because a response with broken freshness is to be taken as stale.
 */
export function deltaSeconds(directives: CacheDirectives, name: string): number | undefined {
  const argument = directives.get(name);
  if (argument === undefined) return undefined;
  if (argument === true || !/^\d+$/.test(argument)) return 0;
  return Math.min(Number(argument), maxDeltaSeconds);
}

/** The names of fields that a directive such as `no-cache="set-cookie"` lists; empty without any. */
export function listedFields(directives: CacheDirectives, name: string): readonly string[] {
  const argument = directives.get(name);
  if (argument === undefined || argument === true) return [];
  return argument
    .split(',')
    .map((field) => field.trim().toLowerCase())
    .filter((field) => field !== '');
}

export function splitOutsideQuotes(value: string, separator: string): readonly string[] {
  if (!value.includes('"')) return value.split(separator);
  const parts: string[] = [];
  let quoted = false;
  let from = 0;
  for (let at = 0; at < value.length; at += 1) {
    const character = value[at];
    if (quoted && character === '\\') at += 1;
    else if (character === '"') quoted = !quoted;
    else if (character === separator && !quoted) {
      parts.push(value.slice(from, at));
      from = at + 1;
    }
  }
  parts.push(value.slice(from));
  return parts;
}

function unquoted(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text;
  return text.slice(1, -1).replaceAll(/\\(.)/g, '$1');
}
