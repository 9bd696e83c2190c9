import type { OpsEvidence } from '@tapline/resources';
import type { Signal } from './signal.ts';

export interface BookEntry {
  readonly signal: Signal;
  /** When it was last told, by our monotonic clock. */
  readonly seenMs: number;
  /** Since when, by our clock, it is in this state without a break. */
  readonly standsMs: number;
  /** The newest states by their order, as many as are needed to see that it flaps. */
  readonly history: readonly { readonly order: number; readonly state: string }[];
}

/** What is known of every key. */
export type SignalBook = ReadonlyMap<string, BookEntry>;

/** Until when, by our monotonic clock, a source is known to tell what it knows. */
export type SourceLiveness = (source: OpsEvidence['source']) => number | undefined;

const maxHistory = 64;

/**
 * What is known of a key after one more signal of it. Late and repeated ones change neither what
 * stands nor what follows from it, so any order of the same signals ends in the same state.
 */
export function nextEntry(before: BookEntry | undefined, signal: Signal, nowMs: number): BookEntry {
  const history = withState(before?.history ?? [], signal);
  if (before === undefined) return { signal, seenMs: nowMs, standsMs: nowMs, history };
  if (isNewer(signal, before.signal)) {
    const isSame = before.signal.state === signal.state;
    return { signal, seenMs: nowMs, standsMs: isSame ? before.standsMs : nowMs, history };
  }
  // An older one confirms nothing.
  const confirms = signal.order === before.signal.order;
  return { ...before, history, seenMs: confirms ? nowMs : before.seenMs };
}

/** How often a key changed its state since a time of its source. */
export function flapsOf(entry: BookEntry, sinceOrder: number): number {
  // Not to know it for a while is no change: a channel that nobody watches at night is no fault.
  const states = entry.history.filter(
    ({ order, state }) => order >= sinceOrder && state !== 'Unknown',
  );
  return states.filter(({ state }, at) => at > 0 && states[at - 1]?.state !== state).length;
}

/** How long nobody has confirmed it; a source that is live confirms all that it has said. */
export function evidenceAgeMs(entry: BookEntry, live: SourceLiveness, nowMs: number): number {
  return Math.max(0, nowMs - Math.max(entry.seenMs, live(entry.signal.source) ?? 0));
}

/** Of two with the same order the text decides: who comes first must not. */
function isNewer(signal: Signal, than: Signal): boolean {
  if (signal.order !== than.order) return signal.order > than.order;
  return rank(signal) > rank(than);
}

function rank({ state, says, handled, flapping }: Signal): string {
  return JSON.stringify([state, says, handled, flapping]);
}

function withState(history: BookEntry['history'], { order, state }: Signal): BookEntry['history'] {
  if (history.some((one) => one.order === order && one.state === state)) return history;
  const next = [...history, { order, state }].toSorted(
    (a, b) => a.order - b.order || (a.state < b.state ? -1 : 1),
  );
  return next.slice(-maxHistory);
}
