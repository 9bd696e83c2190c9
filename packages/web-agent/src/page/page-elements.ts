import { TaplineError } from '@tapline/base';

/** An element of the page, by its id. */
export function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.querySelector(`#${id}`);
  if (found instanceof kind) return found;
  throw new TaplineError('page_incomplete', `the page has no ${kind.name} ${id}`);
}

/** Shows a text, where it is another than the one that is there. */
export function setText(of: HTMLElement, text: string): void {
  if (of.textContent !== text) of.textContent = text;
}
