import type { NodeState } from '../state/node-state.ts';

/** Reads the JSON of one node's state again and again; what did not change is the object of before. */
export type StateReader = (text: string) => NodeState;

/** A list of the state: where each of its entries begins and ends in the text. */
interface ListPlace {
  readonly key: string;
  /** Behind its bracket, and of the one that closes it. */
  readonly start: number;
  readonly end: number;
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

interface Known {
  readonly text: string;
  readonly state: NodeState;
  /** Undefined until something differs, and where the text is none of ours. */
  places: readonly ListPlace[] | undefined;
}

/**
 * Texts are compared before anything is parsed: that is a comparison of memory. Where they differ within
 * one list, only its entries between what is the same before and behind are parsed, and all others are
 * the same objects, which is what a verifier compares first. Anything else is parsed as a whole.
 */
export function createStateReader(): StateReader {
  let known: Known | undefined;
  return (text) => {
    if (known?.text === text) return known.state;
    const next = (known && readDifference(known, text)) ?? {
      text,
      state: JSON.parse(text) as NodeState,
      places: undefined,
    };
    known = next;
    return next.state;
  };
}

function readDifference(before: Known, text: string): Known | undefined {
  const places = (before.places ??= findLists(before));
  const head = commonHead(before.text, text);
  const shift = text.length - before.text.length;
  const at = places.findIndex(({ start, end }) => start <= head && head <= end);
  const place = places[at];
  if (place === undefined) return undefined;
  // Whole entries that both have, before and behind what differs.
  const kept = place.ends.filter((end) => end <= head).length;
  const from = kept === 0 ? place.start : (place.ends[kept - 1] ?? place.start);
  const sameFrom = before.text.length - commonTail(before.text, text, from);
  if (sameFrom > place.end) return undefined;
  const firstBehind = place.starts.findIndex((start, index) => index >= kept && start >= sameFrom);
  const behind = firstBehind < 0 ? place.starts.length : firstBehind;
  const to = (place.starts[behind] ?? place.end) + shift;
  const middle = text.slice(from, to);
  const own = findEntries(middle, from);
  const list = before.state[place.key as keyof NodeState] as readonly unknown[];
  const parsed = parseEntries(middle, { isFirst: kept === 0, isLast: behind === list.length });
  if (own === undefined || parsed?.length !== own.starts.length) return undefined;
  const moved = (offsets: readonly number[]) => offsets.map((offset) => offset + shift);
  return {
    text,
    state: {
      ...before.state,
      [place.key]: [...list.slice(0, kept), ...parsed, ...list.slice(behind)],
    },
    places: places.map((one, index) =>
      index < at
        ? one
        : index > at
          ? {
              key: one.key,
              start: one.start + shift,
              end: one.end + shift,
              starts: moved(one.starts),
              ends: moved(one.ends),
            }
          : {
              key: one.key,
              start: one.start,
              end: one.end + shift,
              starts: [
                ...one.starts.slice(0, kept),
                ...own.starts,
                ...moved(one.starts.slice(behind)),
              ],
              ends: [...one.ends.slice(0, kept), ...own.ends, ...moved(one.ends.slice(behind))],
            },
    ),
  };
}

/** With a number in the place of what is before and behind, so that commas are where they have to be. */
function parseEntries(
  middle: string,
  { isFirst, isLast }: { readonly isFirst: boolean; readonly isLast: boolean },
): readonly unknown[] | undefined {
  try {
    const all = JSON.parse(`[${isFirst ? '' : '0'}${middle}${isLast ? '' : '0'}]`) as unknown[];
    return all.slice(isFirst ? 0 : 1, isLast ? all.length : -1);
  } catch {
    // It is read as a whole, and what is wrong with it is said there.
    return undefined;
  }
}

/** By halves: each comparison is one of memory. */
function commonHead(before: string, after: string): number {
  let [same, different] = [0, Math.min(before.length, after.length) + 1];
  while (different - same > 1) {
    const middle = (same + different) >> 1;
    if (before.slice(same, middle) === after.slice(same, middle)) same = middle;
    else different = middle;
  }
  return same;
}

function commonTail(before: string, after: string, head: number): number {
  let [same, different] = [0, Math.min(before.length, after.length) - head + 1];
  while (different - same > 1) {
    const middle = (same + different) >> 1;
    const [end, other] = [before.length - same, after.length - same];
    const length = middle - same;
    if (before.slice(end - length, end) === after.slice(other - length, other)) same = middle;
    else different = middle;
  }
  return same;
}

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];

function opens(code: number): boolean {
  return code === 0x5b || code === 0x7b;
}

function closes(code: number): boolean {
  return code === 0x5d || code === 0x7d;
}

/** The lists that are values of the object which the text is. */
function findLists({ text, state }: Known): readonly ListPlace[] {
  const places: ListPlace[] = [];
  let depth = 0;
  let key = '';
  let open: { start: number; starts: number[]; ends: number[] } | undefined;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) {
      const end = endOfText(text, at);
      if (depth === 1) key = text.charCodeAt(end) === colon ? text.slice(at + 1, end - 1) : '';
      at = end - 1;
    } else if (opens(code)) {
      depth += 1;
      if (depth === 2 && text[at] === '[') open = { start: at + 1, starts: [], ends: [] };
      if (depth === 3) open?.starts.push(at);
    } else if (closes(code)) {
      depth -= 1;
      if (depth === 2) open?.ends.push(at + 1);
      if (depth === 1 && open !== undefined) {
        places.push({ key, end: at, ...open });
        open = undefined;
      }
    }
  }
  const keys = new Set(places.map((place) => place.key));
  if (keys.size !== places.length) return [];
  // Entries that are neither objects nor lists are not found here: such a list is read as a whole.
  return places.filter((place) => {
    const list: unknown = state[place.key as keyof NodeState];
    return Array.isArray(list) && list.length === place.starts.length;
  });
}

/** Entries with commas before, between and behind them; undefined where it is anything else. */
function findEntries(
  text: string,
  offset: number,
): { readonly starts: readonly number[]; readonly ends: readonly number[] } | undefined {
  const starts: number[] = [];
  const ends: number[] = [];
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote && depth > 0) at = endOfText(text, at) - 1;
    else if (opens(code)) {
      if (depth === 0) starts.push(at + offset);
      depth += 1;
    } else if (closes(code)) {
      depth -= 1;
      if (depth === 0) ends.push(at + offset + 1);
      if (depth < 0) return undefined;
    } else if (depth === 0 && code !== comma) return undefined;
  }
  return depth === 0 ? { starts, ends } : undefined;
}

/** Behind the quote that ends the text which begins at `at`. */
function endOfText(text: string, at: number): number {
  for (let end = at + 1; end < text.length; end += 1) {
    const code = text.charCodeAt(end);
    if (code === backslash) end += 1;
    else if (code === quote) return end + 1;
  }
  return text.length;
}
