import { TaplineError } from '@tapline/base';

export interface FieldRequirement {
  readonly path: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** Requirements that all have to hold. */
export type FieldSelector = readonly FieldRequirement[];

const maxLength = 4096;

/**
 * Parses Kubernetes's field selectors: `spec.device=d1,metadata.name!=x`, with `\` before `,`, `=`
 * and `\` in values. `selectable` are the paths that may be named.
 */
export function parseFieldSelector(text: string, selectable: readonly string[]): FieldSelector {
  if (text.length > maxLength) {
    throw badSelector(`field selector of ${text.length} characters exceeds ${maxLength}`);
  }
  return splitTerms(text)
    .filter((term) => term !== '')
    .map((term) => {
      const requirement = parseTerm(term);
      if (!selectable.includes(requirement.path)) {
        throw badSelector(
          `field label not supported: ${requirement.path}; fields are ${selectable.join(', ')}`,
        );
      }
      return requirement;
    });
}

function splitTerms(text: string): readonly string[] {
  const terms: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === ',') {
      terms.push(text.slice(start, at));
      start = at + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function parseTerm(term: string): FieldRequirement {
  const match = /^([^=!\\]+)(==|=|!=)((?:[^\\,=]|\\[\\,=])*)$/.exec(term);
  const [, path = '', operator = '', value = ''] = match ?? [];
  if (match === null) {
    throw badSelector(`invalid selector: '${term}'; can't understand '${term}'`);
  }
  return {
    path: path.trim(),
    operator: operator === '!=' ? '!=' : '=',
    value: value.replaceAll(/\\([\\,=])/g, '$1'),
  };
}

function badSelector(message: string): TaplineError {
  return new TaplineError('bad_request', message);
}
