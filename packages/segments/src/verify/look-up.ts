import type { Element, ElementIndex, Part } from './element-index.ts';
import { type Field, fieldOf, type Frame, withField } from './frame.ts';
import type { Expression } from './nft-expression.ts';

export interface LookUp {
  /** The frames that are in the set, by the value that a map gives them. */
  readonly found: readonly { readonly frame: Frame; readonly value: unknown }[];
  /** Those that are not in it. */
  readonly missed: readonly Frame[];
}

type Answer = 'yes' | 'perhaps' | 'no';

/** Splits frames by whether they are in a set. What is not certain is in both halves. */
export function lookUp(
  frame: Frame,
  expressions: readonly Expression[],
  index: ElementIndex,
): LookUp {
  const missed: Frame[] = [];
  let here: Frame | undefined = frame;
  for (const expression of expressions) {
    if (expression.kind !== 'field') continue;
    for (const [key, values] of expression.needs) {
      if (here === undefined) break;
      const split = splitField(here, key, values);
      if (split.without !== undefined) missed.push(split.without);
      here = split.within;
    }
  }
  if (here === undefined) return { found: [], missed };
  const groups = new Map<unknown, Element[]>();
  let certain = false;
  let matches = 0;
  for (const element of candidates(here, expressions, index)) {
    const answer = compare(here, expressions, element);
    if (answer === 'no') continue;
    matches += 1;
    certain ||= answer === 'yes';
    const key = typeof element.value === 'object' ? JSON.stringify(element.value) : element.value;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [element]);
    else group.push(element);
  }
  if (matches === 0) return { found: [], missed: [...missed, here] };
  const open: readonly number[] = openPositions(here, expressions);
  const found = [...groups.values()].map((elements) => ({
    frame: refine(here, expressions, { elements, open }),
    value: elements[0]?.value,
  }));
  if (!certain) missed.push(exclude(here, expressions, [...groups.values()].flat()));
  return { found, missed };
}

/** So few are compared one by one rather than sorted by another part. */
const few = 32;

/** By interfaces first: the elements of one are of one segment. */
function candidates(
  frame: Frame,
  expressions: readonly Expression[],
  index: ElementIndex,
): readonly Element[] {
  if (index.size <= few) return index.elements;
  let fewest: readonly Element[] | undefined;
  for (const devices of [true, false]) {
    for (const [position, expression] of expressions.entries()) {
      if ((expression.kind === 'iif' || expression.kind === 'oif') !== devices) continue;
      const known = knownText(frame, expression);
      if (known === undefined) continue;
      const found = index.candidates(position, known);
      if (fewest === undefined || found.length < fewest.length) fewest = found;
      if (fewest.length <= few) return fewest;
    }
  }
  return fewest ?? index.elements;
}

/** The one thing that it can be. */
function knownText(frame: Frame, expression: Expression): string | undefined {
  switch (expression.kind) {
    case 'iif':
      return frame.iif;
    case 'oif':
      return frame.oif;
    case 'mark':
      return frame.mark === undefined ? undefined : String(masked(frame.mark, expression.mask));
    case 'field': {
      const field = fieldOf(frame, expression.key);
      return field !== undefined && !field.without && field.values.length === 1
        ? field.values[0]
        : undefined;
    }
    case 'opaque':
      return undefined;
  }
}

function masked(mark: number, mask: number | undefined): number {
  return mask === undefined ? mark : (mark & mask) >>> 0;
}

function compare(frame: Frame, expressions: readonly Expression[], element: Element): Answer {
  if (element.parts.length !== expressions.length) return 'perhaps';
  let answer: Answer = 'yes';
  for (const [position, expression] of expressions.entries()) {
    const part = element.parts[position];
    const one = part === undefined ? 'perhaps' : comparePart(frame, expression, part);
    if (one === 'no') return 'no';
    if (one === 'perhaps') answer = 'perhaps';
  }
  return answer;
}

function comparePart(frame: Frame, expression: Expression, part: Part): Answer {
  if (part.kind === 'any') return 'yes';
  const known = knownText(frame, expression);
  if (known !== undefined) return compareText(known, part);
  if (expression.kind !== 'field' || part.kind !== 'is') return 'perhaps';
  const field = fieldOf(frame, expression.key);
  if (field === undefined) return 'perhaps';
  return field.values.includes(part.text) === field.without ? 'no' : 'perhaps';
}

function compareText(known: string, part: Part): Answer {
  switch (part.kind) {
    case 'is':
      return known === part.text ? 'yes' : 'no';
    case 'starts':
      return known.startsWith(part.text) ? 'yes' : 'no';
    case 'range': {
      const number = Number(known);
      if (Number.isNaN(number)) return 'perhaps';
      return number >= part.low && number <= part.high ? 'yes' : 'no';
    }
    case 'any':
      return 'yes';
    case 'perhaps':
      return 'perhaps';
  }
}

function openPositions(frame: Frame, expressions: readonly Expression[]): readonly number[] {
  const open: number[] = [];
  for (const [position, expression] of expressions.entries()) {
    if (knownText(frame, expression) === undefined) open.push(position);
  }
  return open;
}

/** What is known of the frames that are in the set by one of these elements. */
function refine(
  frame: Frame,
  expressions: readonly Expression[],
  { elements, open }: { readonly elements: readonly Element[]; readonly open: readonly number[] },
): Frame {
  let refined = frame;
  let several = 0;
  let loose = !elements.every((element) => isSure(frame, expressions, { element, open }));
  for (const position of open) {
    if (elements.every(({ parts }) => parts[position]?.kind === 'any')) continue;
    const expression = expressions[position];
    const values = exactTexts(elements, position);
    if (expression?.kind !== 'field' || values === undefined) {
      loose = true;
      continue;
    }
    if (values.length > 1) several += 1;
    const within = splitField(refined, expression.key, values).within;
    if (within !== undefined) refined = within;
  }
  // Of two fields that have several values each, not every pair need be in the set.
  return loose || several > 1 ? { ...refined, loose: true } : refined;
}

/** Whether an element matches by all that is known. */
function isSure(
  frame: Frame,
  expressions: readonly Expression[],
  { element, open }: { readonly element: Element; readonly open: readonly number[] },
): boolean {
  if (element.parts.length !== expressions.length) return false;
  return expressions.every((expression, at) => {
    const part = element.parts[at];
    return (
      open.includes(at) || (part !== undefined && comparePart(frame, expression, part) === 'yes')
    );
  });
}

/** Only where a single field decides: a pair that is not in a set says nothing of its halves. */
function exclude(
  frame: Frame,
  expressions: readonly Expression[],
  elements: readonly Element[],
): Frame {
  const open = openPositions(frame, expressions);
  const [position] = open;
  const expression = position === undefined ? undefined : expressions[position];
  if (open.length !== 1 || position === undefined || expression?.kind !== 'field') {
    return { ...frame, loose: true };
  }
  const sure = elements.filter((element) => isSure(frame, expressions, { element, open }));
  const values = sure.flatMap((element) => {
    const part = element.parts[position];
    return part?.kind === 'is' ? [part.text] : [];
  });
  const without = splitField(frame, expression.key, values).without ?? frame;
  return values.length === elements.length ? without : { ...without, loose: true };
}

function exactTexts(elements: readonly Element[], position: number): readonly string[] | undefined {
  const texts: string[] = [];
  for (const element of elements) {
    const part = element.parts[position];
    if (part?.kind !== 'is') return undefined;
    texts.push(part.text);
  }
  return texts.length === 1 ? texts : [...new Set(texts)];
}

/** The frames whose field is one of the values, and the others; undefined for none. */
export function splitField(
  frame: Frame,
  key: string,
  values: readonly string[],
): { readonly within: Frame | undefined; readonly without: Frame | undefined } {
  const field = fieldOf(frame, key);
  if (field === undefined) {
    return {
      within: withField(frame, key, values, false),
      without: withField(frame, key, values, true),
    };
  }
  return field.without ? splitOpen(frame, field, values) : splitClosed(frame, field, values);
}

function splitClosed(
  frame: Frame,
  field: Field,
  values: readonly string[],
): { readonly within: Frame | undefined; readonly without: Frame | undefined } {
  const inside = field.values.filter((value) => values.includes(value));
  if (inside.length === field.values.length) return { within: frame, without: undefined };
  if (inside.length === 0) return { within: undefined, without: frame };
  const outside = field.values.filter((value) => !values.includes(value));
  return {
    within: withField(frame, field.key, inside, false),
    without: withField(frame, field.key, outside, false),
  };
}

function splitOpen(
  frame: Frame,
  field: Field,
  values: readonly string[],
): { readonly within: Frame | undefined; readonly without: Frame | undefined } {
  const inside = values.filter((value) => !field.values.includes(value));
  if (inside.length === 0) return { within: undefined, without: frame };
  return {
    within: withField(frame, field.key, inside, false),
    without: withField(frame, field.key, [...field.values, ...inside], true),
  };
}
