import type { Clock } from '@tapline/base';
import type { Informer } from '@tapline/reconcile';
import type { ApiObject, Condition, OpsEvidence, Playbook } from '@tapline/resources';
import { fromConditions } from '../signals/from-condition.ts';
import type { Signal } from '../signals/signal.ts';
import { type BookEntry, flapsOf, nextEntry, type SignalBook } from '../signals/signal-book.ts';
import type { OpsInformers } from './ops-informers.ts';

type WithConditions = ApiObject<
  unknown,
  { readonly conditions?: readonly Condition[] | undefined }
>;

const flapWindowMs = 600_000;
/** So many changes of a condition within ten minutes are told as one more: `TYPEFlapping`. */
const flapsToTell = 5;
const maxKeys = 200_000;
/** What is fine and was not heard of for a day is forgotten. */
const forgetMs = 86_400_000;

/** Where all that is heard comes together; every replica keeps one, whoever leads. */
export interface SignalDesk extends Disposable {
  readonly book: SignalBook;
  take(signal: Signal): void;
  /** From now on `isLive` says whether what the source has said still holds. */
  source(source: OpsEvidence['source'], isLive: () => boolean): void;
  live(source: OpsEvidence['source']): number | undefined;
  onSignal(listener: (signal: Signal) => void): () => void;
}

export function createSignalDesk(init: {
  readonly informers: OpsInformers;
  readonly clock: Clock;
}): SignalDesk {
  const { informers, clock } = init;
  const book = new Map<string, BookEntry>();
  const listeners = new Set<(signal: Signal) => void>();
  const sources = new Map<OpsEvidence['source'], { isLive: () => boolean; untilMs?: number }>();
  let order = 0;
  let forgottenMs = clock.monotonic();

  function take(signal: Signal): void {
    const nowMs = clock.monotonic();
    const before = book.get(signal.key);
    const entry = nextEntry(before, signal, nowMs);
    if (before === undefined && book.size >= maxKeys) forget(nowMs, 0);
    book.set(signal.key, entry);
    if (nowMs - forgottenMs > forgetMs / 24) forget(nowMs, forgetMs);
    if (before?.signal === entry.signal) return;
    for (const listener of listeners) listener(signal);
  }

  function forget(nowMs: number, olderMs: number): void {
    forgottenMs = nowMs;
    for (const [key, { signal, seenMs }] of book) {
      if (signal.state === 'ok' && nowMs - seenMs >= olderMs) book.delete(key);
    }
  }

  /** Types of conditions that a playbook asks for: nobody else has to be told of others. */
  function asked(kind: string): ReadonlySet<string> {
    const all: readonly Playbook[] = informers.playbooks.list();
    const types = all.flatMap(({ spec }) =>
      spec.target.kind === kind && spec.on.condition !== undefined ? [spec.on.condition.type] : [],
    );
    return new Set(types.flatMap((type) => [type, type.replace(/Flapping$/, '')]));
  }

  function look(object: WithConditions, isGone: boolean): void {
    const types = asked(object.kind);
    // What the informer tells is in order; the times are what flapping is counted by.
    order = Math.max(order + 0.001, clock.monotonic());
    for (const signal of fromConditions(object, order)) {
      if (!types.has(signal.topic)) continue;
      if (isGone) {
        book.delete(signal.key);
        book.delete(`${signal.key}Flapping`);
        continue;
      }
      take(signal);
      if (types.has(`${signal.topic}Flapping`)) takeFlapping(signal);
    }
  }

  function takeFlapping(signal: Signal): void {
    const entry = book.get(signal.key);
    if (entry === undefined) return;
    // Orders of conditions only count; when it changed is what its times say.
    const changes = times.get(signal.key) ?? [];
    if (changes.at(-1)?.state !== signal.state) {
      changes.push({ order: clock.monotonic(), state: signal.state });
    }
    times.set(signal.key, changes.slice(-32));
    const flaps = flapsOf({ ...entry, history: changes }, clock.monotonic() - flapWindowMs);
    take({
      ...signal,
      key: `${signal.key}Flapping`,
      topic: `${signal.topic}Flapping`,
      state: flaps >= flapsToTell ? 'True' : 'False',
      says: `${signal.topic} changed ${flaps} times in ten minutes`,
    });
  }
  const times = new Map<string, { order: number; state: string }[]>();

  const followed: readonly Informer<WithConditions>[] = [
    informers.devices,
    informers.nodes,
    informers.workloads,
    informers.channels,
    informers.segments,
    informers.attachments,
    informers.deliveries,
    informers.installs,
  ];
  function lookAtAll(): void {
    for (const informer of followed) for (const object of informer.list()) look(object, false);
  }
  const ends = [
    ...followed.map((informer) =>
      informer.onChange(({ object, kind }) => look(object, kind === 'deleted')),
    ),
    informers.playbooks.onChange(lookAtAll),
  ];
  lookAtAll();

  return {
    book,
    take,
    source: (source, isLive) => void sources.set(source, { isLive }),
    live(source) {
      // What is in the same store holds until it changes.
      if (source === 'condition') return clock.monotonic();
      const known = sources.get(source);
      if (known === undefined) return undefined;
      if (known.isLive()) known.untilMs = clock.monotonic();
      return known.untilMs;
    },
    onSignal(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    [Symbol.dispose]() {
      for (const end of ends) end();
    },
  };
}
