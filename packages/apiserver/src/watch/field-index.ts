import { fieldText, fieldValue } from '@tapline/resources';
import type { AnyObject } from '../any-object.ts';
import type { ServedKind } from '../served-kind.ts';

const none: ReadonlySet<string> = new Set();

/** Keys of a kind's objects by the values of its selectable fields. */
export class FieldIndex {
  readonly #fields: readonly {
    readonly name: string;
    readonly path: readonly string[];
    readonly keys: Map<string, Set<string>>;
  }[];

  constructor(kind: ServedKind) {
    this.#fields = kind.definition.selectableFields.map((name) => ({
      name,
      path: name.split('.'),
      keys: new Map(),
    }));
  }

  get isEmpty(): boolean {
    return this.#fields.length === 0;
  }

  keys(field: string, value: string): ReadonlySet<string> {
    return this.#fields.find(({ name }) => name === field)?.keys.get(value) ?? none;
  }

  change(key: string, before: AnyObject | undefined, after: AnyObject | undefined): void {
    for (const { path, keys } of this.#fields) {
      const old = before === undefined ? '' : fieldText(fieldValue(before, path));
      const now = after === undefined ? '' : fieldText(fieldValue(after, path));
      if (old === now) continue;
      const former = keys.get(old);
      former?.delete(key);
      if (former?.size === 0) keys.delete(old);
      if (now === '') continue;
      const set = keys.get(now);
      if (set === undefined) keys.set(now, new Set([key]));
      else set.add(key);
    }
  }
}
