/** The key of a response: channel, target, and the values it varies by, none without `Vary`. */
export function objectKey(channel: string, target: string, variant = ''): string {
  return variant === '' ? `${channel} ${target}` : `${channel} ${target} ${variant}`;
}

/** Channel and target of a key; neither holds a space. */
export function keyParts(key: string): { readonly channel: string; readonly target: string } {
  const first = key.indexOf(' ');
  const second = key.indexOf(' ', first + 1);
  return {
    channel: key.slice(0, first),
    target: second === -1 ? key.slice(first + 1) : key.slice(first + 1, second),
  };
}
