import type { TaplineError } from '@tapline/base';
import type { EventType, HubEvent } from './hub-event.ts';
import { isSelected, type Selection } from './selection.ts';

/** Where a watcher's events go, in order and without waiting. */
export interface WatchSink {
  event(type: EventType, event: HubEvent): void;
  bookmark(revision: number, initialEventsEnd: boolean): void;
  /** Everything of a batch has been handed over: send it. */
  flush(): void;
  /** No more events: with an error, or because the server stops. */
  end(error?: TaplineError): void;
}

/** One who follows a selection. */
export class Watcher {
  readonly selection: Selection;
  readonly sink: WatchSink;
  /** Everything up to this revision was handed over, or is of no interest. */
  seen: number;

  constructor(selection: Selection, sink: WatchSink, after: number) {
    this.selection = selection;
    this.sink = sink;
    this.seen = after;
  }

  /** Hands the event over where it concerns the selection; whether it did. */
  offer(event: HubEvent): boolean {
    if (event.revision <= this.seen) return false;
    this.seen = event.revision;
    const type = this.#typeOf(event);
    if (type === undefined) return false;
    this.sink.event(type, event);
    return true;
  }

  /** An object that leaves the selection is deleted as far as the watcher knows. */
  #typeOf(event: HubEvent): EventType | undefined {
    const { selection } = this;
    const was = event.before !== undefined && isSelected(selection, event.before);
    if (event.deleted) return was ? 'DELETED' : undefined;
    const is = isSelected(selection, event.now);
    if (is) return was ? 'MODIFIED' : 'ADDED';
    return was ? 'DELETED' : undefined;
  }
}
