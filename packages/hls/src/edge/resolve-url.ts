/** `uri` against `base`, where the outcome is an address of http or https without credentials. */
export function resolveUrl(uri: string, base: string): string | undefined {
  let url: URL;
  try {
    url = new URL(uri, base);
  } catch {
    return undefined;
  }
  const web = url.protocol === 'http:' || url.protocol === 'https:';
  // A name and a password of somebody else's would be sent along.
  if (
    !web ||
    url.href
      .slice(url.protocol.length + 2)
      .split(/[/?#]/, 1)[0]
      ?.includes('@')
  ) {
    return undefined;
  }
  return url.href.split('#', 1)[0];
}
