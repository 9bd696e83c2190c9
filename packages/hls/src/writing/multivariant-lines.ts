import { type AttributeValue, parseAttributes } from '../reading/parse-attributes.ts';

export type Attributes = ReadonlyMap<string, AttributeValue>;

/** A multivariant playlist as its lines are, of one way to its content. */
export interface MultivariantLines {
  /** What is the same for all ways. */
  readonly head: readonly string[];
  readonly session: readonly { readonly name: string; readonly attributes: Attributes }[];
  readonly media: readonly Attributes[];
  readonly variants: readonly { readonly attributes: Attributes; readonly uri: string }[];
  readonly iFrames: readonly Attributes[];
}

/** Reads them. Of several pathways the first is kept, and steering that is there is left out. */
export function readMultivariantLines(text: string): MultivariantLines {
  const head: string[] = [];
  const session: { readonly name: string; readonly attributes: Attributes }[] = [];
  const media: Attributes[] = [];
  const variants: { readonly attributes: Attributes; readonly uri: string }[] = [];
  const iFrames: Attributes[] = [];
  let pending: Attributes | undefined;
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim();
    if (line === '') continue;
    if (!line.startsWith('#')) {
      if (pending !== undefined) variants.push({ attributes: pending, uri: line });
      pending = undefined;
      continue;
    }
    if (!line.startsWith('#EXT')) continue;
    const colon = line.indexOf(':');
    const name = colon === -1 ? line : line.slice(0, colon);
    const attributes = (): Attributes => parseAttributes(line.slice(colon + 1)).attributes;
    if (name === '#EXT-X-STREAM-INF') pending = attributes();
    else if (name === '#EXT-X-I-FRAME-STREAM-INF') iFrames.push(attributes());
    else if (name === '#EXT-X-MEDIA') media.push(attributes());
    else if (name === '#EXT-X-SESSION-DATA' || name === '#EXT-X-SESSION-KEY') {
      session.push({ name, attributes: attributes() });
    } else if (name !== '#EXT-X-CONTENT-STEERING') head.push(line);
  }
  const kept = variants[0]?.attributes.get('PATHWAY-ID')?.text;
  const isKept = (one: Attributes): boolean => one.get('PATHWAY-ID')?.text === kept;
  return {
    head,
    session,
    media,
    variants: variants.filter(({ attributes }) => isKept(attributes)),
    iFrames: iFrames.filter(isKept),
  };
}

/** Names a variant or rendition the same on every pathway (RFC 8216bis §4.4.6.2). */
export function stableIdOf(uri: string): string {
  return uri.replaceAll(/[^A-Za-z0-9+/=._-]/g, '_');
}
