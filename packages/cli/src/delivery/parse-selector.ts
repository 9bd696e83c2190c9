import { TaplineError } from '@tapline/base';
import type { LabelSelector } from '@tapline/resources';

type Expression = NonNullable<LabelSelector['matchExpressions']>[number];

/**
 * `--to team=design --to tier!=test --to region in (eu,us) --to gpu --to !old` as a selector; all
 * must hold. `all` alone selects every device.
 */
export function parseSelector(terms: readonly string[]): LabelSelector {
  if (terms.length === 1 && terms[0] === 'all') return {};
  const matchLabels: Record<string, string> = {};
  const matchExpressions: Expression[] = [];
  for (const term of terms) {
    const expression = parseTerm(term.trim());
    if (expression.operator === 'In' && expression.values?.length === 1) {
      matchLabels[expression.key] = expression.values[0] ?? '';
    } else {
      matchExpressions.push(expression);
    }
  }
  return {
    ...(Object.keys(matchLabels).length === 0 ? {} : { matchLabels }),
    ...(matchExpressions.length === 0 ? {} : { matchExpressions }),
  };
}

const key = String.raw`([A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?)`;
const equals = new RegExp(`^${key}\\s*==?\\s*([A-Za-z0-9._-]*)$`);
const differs = new RegExp(`^${key}\\s*!=\\s*([A-Za-z0-9._-]*)$`);
const among = new RegExp(`^${key}\\s+(in|notin)\\s+\\(([A-Za-z0-9._,\\s-]*)\\)$`);
const exists = new RegExp(`^(!?)${key}$`);

function parseTerm(term: string): Expression {
  const isEqual = equals.exec(term);
  if (isEqual !== null)
    return { key: isEqual[1] ?? '', operator: 'In', values: [isEqual[3] ?? ''] };
  const isNot = differs.exec(term);
  if (isNot !== null) return { key: isNot[1] ?? '', operator: 'NotIn', values: [isNot[3] ?? ''] };
  const isAmong = among.exec(term);
  if (isAmong !== null) {
    const values = (isAmong[4] ?? '').split(',').map((value) => value.trim());
    return { key: isAmong[1] ?? '', operator: isAmong[3] === 'in' ? 'In' : 'NotIn', values };
  }
  const isThere = exists.exec(term);
  if (isThere !== null) {
    return { key: isThere[2] ?? '', operator: isThere[1] === '!' ? 'DoesNotExist' : 'Exists' };
  }
  throw new TaplineError('usage', `${JSON.stringify(term)} selects nothing that labels can say`, {
    hint: 'write team=design, tier!=test, "region in (eu,us)", gpu or !old; or all',
  });
}
