/** A part of the page that shows one thing, and is told when that is another. */
export interface Shown<T> {
  readonly root: HTMLElement;
  show(one: T): void;
}

/**
 * Keeps a part of the page for each of what there is, by its key, and in that order: where nothing changed
 * nothing is touched, so the keyboard and a reader stay where they are.
 */
export function keepList<T>(
  into: HTMLElement,
  init: { readonly keyOf: (one: T) => string; readonly make: (one: T) => Shown<T> },
): (all: readonly T[]) => void {
  const kept = new Map<string, Shown<T>>();
  return (all) => {
    const keys = new Set(all.map(init.keyOf));
    for (const [key, { root }] of kept) {
      if (keys.has(key)) continue;
      // Who was in it goes on from the heading, and not from the top of the page.
      if (root.contains(document.activeElement)) {
        into.closest('section')?.querySelector('h2')?.focus();
      }
      root.remove();
      kept.delete(key);
    }
    let before: ChildNode | null = into.firstChild;
    for (const one of all) {
      const key = init.keyOf(one);
      const shown = kept.get(key) ?? init.make(one);
      kept.set(key, shown);
      shown.show(one);
      if (shown.root === before) before = before.nextSibling;
      else before?.before(shown.root);
      if (shown.root.parentNode !== into) into.append(shown.root);
    }
  };
}
