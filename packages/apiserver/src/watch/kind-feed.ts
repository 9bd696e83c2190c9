import { fieldText, fieldValue } from '@tapline/resources';
import type { AnyObject } from '../any-object.ts';
import type { ServedKind } from '../served-kind.ts';
import { FieldIndex } from './field-index.ts';
import type { HubEvent } from './hub-event.ts';
import type { Watcher } from './watcher.ts';

const maxEvents = 8192;
const maxBytes = 16 * 1024 * 1024;

/** Recent events of a kind and those who watch it. */
export class KindFeed {
  readonly kind: ServedKind;
  readonly index: FieldIndex;
  readonly #all = new Set<Watcher>();
  /** Watchers that demand a field's value, so that an event finds its own among thousands. */
  readonly #byField = new Map<
    string,
    { path: readonly string[]; byValue: Map<string, Set<Watcher>> }
  >();
  #recent: HubEvent[] = [];
  #recentBytes = 0;
  /** Every event after this revision is in `#recent`. */
  #recentAfter: number;

  constructor(kind: ServedKind, revision: number) {
    this.kind = kind;
    this.index = new FieldIndex(kind);
    this.#recentAfter = revision;
  }

  get recentAfter(): number {
    return this.#recentAfter;
  }

  get watchers(): readonly Watcher[] {
    const found = [...this.#all];
    for (const { byValue } of this.#byField.values()) {
      for (const set of byValue.values()) found.push(...set);
    }
    return found;
  }

  /** Takes an event in and hands it to those it concerns, who are added to `dirty`. */
  publish(event: HubEvent, dirty: Set<Watcher>): void {
    for (const watcher of this.#all) if (watcher.offer(event)) dirty.add(watcher);
    if (!this.index.isEmpty) this.#publishByField(event, dirty);
    this.#remember(event);
  }

  #publishByField(event: HubEvent, dirty: Set<Watcher>): void {
    const before = event.before?.object;
    const after = event.deleted ? undefined : event.now.object;
    this.index.change(event.key, before, after);
    for (const { path, byValue } of this.#byField.values()) {
      const old = textAt(before, path);
      const now = textAt(after, path);
      offerAll(byValue.get(now), event, dirty);
      if (old !== now) offerAll(byValue.get(old), event, dirty);
    }
  }

  /** Joins a watcher that has seen everything up to `watcher.seen`, which is in reach. */
  join(watcher: Watcher): void {
    for (const event of this.#recent) watcher.offer(event);
    const { indexed } = watcher.selection;
    if (indexed === undefined) {
      this.#all.add(watcher);
      return;
    }
    const { field, value } = indexed;
    const entry = this.#byField.get(field) ?? { path: field.split('.'), byValue: new Map() };
    this.#byField.set(field, entry);
    const set = entry.byValue.get(value);
    if (set === undefined) entry.byValue.set(value, new Set([watcher]));
    else set.add(watcher);
  }

  leave(watcher: Watcher): void {
    this.#all.delete(watcher);
    const { indexed } = watcher.selection;
    if (indexed === undefined) return;
    const byValue = this.#byField.get(indexed.field)?.byValue;
    const set = byValue?.get(indexed.value);
    set?.delete(watcher);
    if (set?.size === 0) byValue?.delete(indexed.value);
  }

  #remember(event: HubEvent): void {
    this.#recent.push(event);
    this.#recentBytes += event.bytes;
    if (this.#recent.length <= maxEvents && this.#recentBytes <= maxBytes) return;
    const keep = Math.floor(this.#recent.length / 2);
    const dropped = this.#recent.splice(0, this.#recent.length - keep);
    for (const one of dropped) this.#recentBytes -= one.bytes;
    this.#recentAfter = dropped.at(-1)?.revision ?? this.#recentAfter;
  }
}

function offerAll(
  watchers: ReadonlySet<Watcher> | undefined,
  event: HubEvent,
  dirty: Set<Watcher>,
): void {
  if (watchers === undefined) return;
  for (const watcher of watchers) if (watcher.offer(event)) dirty.add(watcher);
}

function textAt(object: AnyObject | undefined, path: readonly string[]): string {
  return object === undefined ? '' : fieldText(fieldValue(object, path));
}
