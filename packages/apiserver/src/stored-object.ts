import type { AnyObject } from './any-object.ts';
import { parseStored, wireText } from './object-text.ts';
import type { ServedKind } from './served-kind.ts';

/** An object at a revision; text and parsed form are made when first asked for. */
export class StoredObject {
  readonly kind: ServedKind;
  readonly value: string;
  readonly revision: number;
  #object: AnyObject | undefined;

  constructor(kind: ServedKind, value: string, revision: number, object?: AnyObject) {
    this.kind = kind;
    this.value = value;
    this.revision = revision;
    this.#object = object;
  }

  /** Shared: never changed. */
  get object(): AnyObject {
    this.#object ??= parseStored(this.kind, this.value, this.revision);
    return this.#object;
  }

  /** The JSON to send. */
  get text(): string {
    return wireText(this.kind, this.value, this.revision);
  }
}
