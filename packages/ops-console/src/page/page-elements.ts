import { TaplineError } from '@tapline/base';

/** An element of the page, by its id. */
export function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.querySelector(`#${id}`);
  if (found instanceof kind) return found;
  throw new TaplineError('page_incomplete', `the page has no ${kind.name} ${id}`);
}

/** A new element with a text; whatever is in it stays a text. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  text: string = '',
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (text !== '') made.textContent = text;
  return made;
}

/** Shows a text, where it is another than the one that is there: a reader says what is set. */
export function setText(of: HTMLElement, text: string): void {
  if (of.textContent !== text) of.textContent = text;
}
