/** A join token out of the fragment of a page's address, which no browser sends to a server. */
export function tokenInFragment(fragment: string): string | undefined {
  const text = fragment.startsWith('#') ? fragment.slice(1) : fragment;
  return /^tlj\.[\w.-]{1,508}$/.test(text) ? text : undefined;
}

/** The token that the page was opened with. Neither its address nor its history has it any more. */
export function takeToken(page: {
  readonly location: Pick<Location, 'hash' | 'pathname'>;
  readonly history: Pick<History, 'replaceState'>;
}): string | undefined {
  const token = tokenInFragment(page.location.hash);
  if (page.location.hash !== '') page.history.replaceState(null, '', page.location.pathname);
  return token;
}
