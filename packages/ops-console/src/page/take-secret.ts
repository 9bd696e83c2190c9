const stored = 'secret';

/**
 * The secret of the address, which goes from there at once: it would be in the history and in screenshots. It
 * stays in the tab for when the page is loaded again.
 */
export function takeSecret(page: {
  readonly location: Pick<Location, 'hash' | 'pathname'>;
  readonly history: Pick<History, 'replaceState'>;
  readonly sessionStorage: Pick<Storage, 'getItem' | 'setItem'>;
}): string | undefined {
  const given = page.location.hash.slice(1);
  if (given === '') return page.sessionStorage.getItem(stored) ?? undefined;
  page.history.replaceState(null, '', page.location.pathname);
  page.sessionStorage.setItem(stored, given);
  return given;
}
