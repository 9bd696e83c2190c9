/** The parameters of a URL's query, decoded; of a repeated one the first. */
export function queryParameters(url: string): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>();
  const withoutFragment = url.split('#', 1)[0] ?? '';
  const at = withoutFragment.indexOf('?');
  if (at === -1) return parameters;
  for (const pair of withoutFragment.slice(at + 1).split('&')) {
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1));
    if (name !== '' && !parameters.has(name)) parameters.set(name, value);
  }
  return parameters;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    // A stray per cent sign is itself.
    return text;
  }
}
