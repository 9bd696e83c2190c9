import type { ServedObject } from './popularity.ts';

/** `host ident user [time] "GET /path HTTP/1.1" status bytes …`: what nginx, Apache and Varnish write. */
const line = /^\S+ \S+ .*?\[[^\]]*\] "(?:GET) (\S+)[^"]*" (\d{3}) (\d{1,15})(?: |$)/;

/**
 * The answers of a channel out of an access log in the common or combined format, by their path below
 * `prefix`. Playlists are left out: they are asked for all the time, and are never old enough to keep.
 */
export function* servedByLog(
  text: string,
  { prefix }: { readonly prefix: string },
): Generator<ServedObject> {
  for (const one of text.split('\n')) {
    const [, target = '', status = '', bytes = ''] = line.exec(one) ?? [];
    if (!target.startsWith(prefix) || (status !== '200' && status !== '206')) continue;
    const path = target.slice(prefix.length);
    if (path === '' || path.startsWith('~tapline/') || /\.m3u8(?:\?|$)/i.test(path)) continue;
    yield { path, bytes: Number(bytes) };
  }
}
