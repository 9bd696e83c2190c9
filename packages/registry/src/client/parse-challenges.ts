/** One way in that a 401 answer offers (RFC 9110 §11.6.1). */
export interface Challenge {
  /** In lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: Readonly<Record<string, string>>;
}

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+/;
const parameter =
  /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+\-.^_`|~0-9A-Za-z:/?,@]*))/;
const maxHeader = 16 * 1024;

/**
 * Parses `WWW-Authenticate`, where commas stand between challenges and between their parameters
 * alike. What cannot be understood ends the reading: what came before counts.
 */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  let rest = header.slice(0, maxHeader).trimStart();
  while (rest !== '') {
    const found = parameter.exec(rest);
    const current = challenges.at(-1);
    if (found !== null && current !== undefined) {
      const [whole, name = '', quoted, plain = ''] = found;
      current.parameters[name.toLowerCase()] = quoted?.replaceAll(/\\(.)/g, '$1') ?? plain;
      rest = rest.slice(whole.length);
    } else {
      const scheme = token.exec(rest)?.[0];
      if (scheme === undefined) break;
      challenges.push({
        scheme: scheme.toLowerCase(),
        parameters: Object.create(null) as Record<string, string>,
      });
      rest = rest.slice(scheme.length);
    }
    rest = rest.replace(/^[\s,]+/, '');
  }
  return challenges;
}
