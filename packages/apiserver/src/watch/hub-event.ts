import type { Change } from '@tapline/store';
import type { ServedKind } from '../served-kind.ts';
import { StoredObject } from '../stored-object.ts';

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** A change of an object, parsed and rendered at most once for all who watch. */
export class HubEvent {
  readonly kind: ServedKind;
  readonly key: string;
  readonly revision: number;
  readonly deleted: boolean;
  /** How it is now; where deleted, how it was, at the revision of the deletion. */
  readonly now: StoredObject;
  /** How it was before; absent where it was created. */
  readonly before: StoredObject | undefined;
  readonly bytes: number;
  #frames: Map<string, Buffer> | undefined;

  constructor(kind: ServedKind, change: Change, now: StoredObject) {
    this.kind = kind;
    this.key = change.key;
    this.revision = change.revision;
    this.deleted = change.kind === 'delete';
    this.now = now;
    // Whoever no longer matches learns the last state that did, at the revision of the change.
    const last = this.deleted ? change.value : change.previous;
    this.before = last === undefined ? undefined : new StoredObject(kind, last, change.revision);
    this.bytes = change.value.length + (change.previous?.length ?? 0);
  }

  /** The bytes of a rendering, made by the first who asks. */
  frame(form: string, render: () => Buffer): Buffer {
    this.#frames ??= new Map();
    let frame = this.#frames.get(form);
    if (frame === undefined) {
      frame = render();
      this.#frames.set(form, frame);
    }
    return frame;
  }

  /** Forgets renderings, which nobody shares any more. */
  release(): void {
    this.#frames = undefined;
  }
}
