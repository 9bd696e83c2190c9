import { TaplineError } from '@tapline/base';
import type { LabelSelector } from './kinds/delivery.ts';

export type LabelRequirement =
  | {
      readonly kind: 'in' | 'not-in';
      readonly key: string;
      readonly values: ReadonlySet<string>;
    }
  | { readonly kind: 'exists' | 'not-exists'; readonly key: string }
  | { readonly kind: 'greater' | 'less'; readonly key: string; readonly bound: number };

/** Requirements that all have to hold; none matches everything. */
export type LabelRequirements = readonly LabelRequirement[];

const maxLength = 16_384;
const keyPattern =
  /^(?:[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const valuePattern = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** Whether `key` can be a label's key: an optional DNS prefix and a name of up to 63 characters. */
export function isLabelKey(key: string): boolean {
  return keyPattern.test(key);
}

/** Whether `value` can be a label's value: empty, or up to 63 characters. */
export function isLabelValue(value: string): boolean {
  return valuePattern.test(value);
}

/** Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>5`, as Kubernetes does. */
export function parseLabelSelector(text: string): LabelRequirements {
  if (text.length > maxLength) {
    throw bad(`label selector of ${text.length} characters exceeds ${maxLength}`);
  }
  const tokens = text.match(/!=|==|[=!<>(),]|[^\s=!<>(),]+/g) ?? [];
  const requirements: LabelRequirement[] = [];
  let at = 0;
  while (at < tokens.length) {
    const [requirement, next] = parseRequirement(tokens, at, text);
    requirements.push(requirement);
    at = next;
    if (at < tokens.length && (tokens[at] !== ',' || at + 1 === tokens.length)) {
      throw bad(`label selector ${JSON.stringify(text)}: expected a comma at ${tokens[at]}`);
    }
    at += 1;
  }
  return requirements;
}

function parseRequirement(
  tokens: readonly string[],
  start: number,
  text: string,
): readonly [LabelRequirement, number] {
  const negated = tokens[start] === '!';
  let at = negated ? start + 1 : start;
  const key = tokens[at] ?? '';
  if (!isLabelKey(key)) {
    throw bad(`label selector ${JSON.stringify(text)}: ${JSON.stringify(key)} is not a label key`);
  }
  at += 1;
  const operator = tokens[at];
  if (negated) return [{ kind: 'not-exists', key }, at];
  if (operator === undefined || operator === ',') return [{ kind: 'exists', key }, at];
  at += 1;
  switch (operator) {
    case '=':
    case '==':
    case '!=': {
      const value = tokens[at] ?? ',';
      const [word, next] = value === ',' ? ['', at] : [value, at + 1];
      const kind = operator === '!=' ? 'not-in' : 'in';
      return [{ kind, key, values: new Set([checkedValue(word, text)]) }, next];
    }
    case 'in':
    case 'notin': {
      const close = tokens.indexOf(')', at);
      if (tokens[at] !== '(' || close === -1) {
        throw bad(`label selector ${JSON.stringify(text)}: expected (…) after ${operator}`);
      }
      const words = tokens.slice(at + 1, close);
      const values = words.filter((word) => word !== ',').map((word) => checkedValue(word, text));
      return [
        { kind: operator === 'in' ? 'in' : 'not-in', key, values: new Set(values) },
        close + 1,
      ];
    }
    case '<':
    case '>': {
      const bound = Number(tokens[at]);
      if (!Number.isSafeInteger(bound)) {
        throw bad(`label selector ${JSON.stringify(text)}: ${tokens[at]} is not an integer`);
      }
      return [{ kind: operator === '>' ? 'greater' : 'less', key, bound }, at + 1];
    }
    default:
      throw bad(`label selector ${JSON.stringify(text)}: ${operator} is not an operator`);
  }
}

/** The same of an object's selector field. */
export function toLabelRequirements(selector: LabelSelector): LabelRequirements {
  const requirements: LabelRequirement[] = Object.entries(selector.matchLabels ?? {}).map(
    ([key, value]) => ({ kind: 'in', key, values: new Set([value]) }),
  );
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    switch (operator) {
      case 'In':
        requirements.push({ kind: 'in', key, values: new Set(values) });
        break;
      case 'NotIn':
        requirements.push({ kind: 'not-in', key, values: new Set(values) });
        break;
      case 'Exists':
        requirements.push({ kind: 'exists', key });
        break;
      case 'DoesNotExist':
        requirements.push({ kind: 'not-exists', key });
        break;
    }
  }
  return requirements;
}

/** Whether the labels have all that is required; `!=` and `notin` also match an absent label. */
export function matchesLabels(
  requirements: LabelRequirements,
  labels: Readonly<Record<string, string>> = {},
): boolean {
  return requirements.every((requirement) => {
    const has = Object.hasOwn(labels, requirement.key);
    const value = has ? (labels[requirement.key] ?? '') : '';
    switch (requirement.kind) {
      case 'in':
        return has && requirement.values.has(value);
      case 'not-in':
        return !has || !requirement.values.has(value);
      case 'exists':
        return has;
      case 'not-exists':
        return !has;
      case 'greater':
        return has && value !== '' && Number(value) > requirement.bound;
      case 'less':
        return has && value !== '' && Number(value) < requirement.bound;
    }
  });
}

/** Whether labels satisfy the selector field of an object; an empty selector takes everything. */
export function matchesSelector(
  selector: LabelSelector,
  labels: Readonly<Record<string, string>> = {},
): boolean {
  return matchesLabels(toLabelRequirements(selector), labels);
}

function checkedValue(value: string, text: string): string {
  if (isLabelValue(value)) return value;
  throw bad(
    `label selector ${JSON.stringify(text)}: ${JSON.stringify(value)} is not a label value; at most 63 letters, digits, "-", "_" and ".", beginning and ending with a letter or digit`,
  );
}

function bad(message: string): TaplineError {
  return new TaplineError('bad_request', message);
}
