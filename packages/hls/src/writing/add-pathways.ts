import { type AttributeValue, parseAttributes } from '../reading/parse-attributes.ts';

/** One way to the same content: a server that has all of it. */
export interface Pathway {
  /** Letters, digits, dots, dashes and underscores (RFC 8216bis §4.4.6.6). */
  readonly id: string;
  /** Where this way has what the playlist names by that URI. */
  readonly resolve: (uri: string) => string;
}

type Attributes = ReadonlyMap<string, AttributeValue>;

const groups = ['AUDIO', 'VIDEO', 'SUBTITLES', 'CLOSED-CAPTIONS'] as const;

/**
 * The text of a multivariant playlist with every variant once for each pathway, and with the address
 * at which players are told which one to take (RFC 8216bis §7). A player whose server fails goes on
 * with the same variant of another. Pathways that the text had itself are one way to its origin: the
 * first of them is kept.
 */
export function addPathways(
  text: string,
  {
    pathways,
    steeringUri,
  }: { readonly pathways: readonly Pathway[]; readonly steeringUri: string },
): string {
  const [first] = pathways;
  if (first === undefined) return text;
  const head: string[] = [];
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
      head.push(`${name}:${format(withUri(attributes(), first))}`);
    } else if (name !== '#EXT-X-CONTENT-STEERING') head.push(line);
  }
  const kept = variants[0]?.attributes.get('PATHWAY-ID')?.text;
  const isKept = (one: Attributes): boolean => one.get('PATHWAY-ID')?.text === kept;
  return [
    ...head,
    `#EXT-X-CONTENT-STEERING:SERVER-URI="${steeringUri}",PATHWAY-ID="${first.id}"`,
    ...pathways.flatMap((pathway) => [
      ...media.map(
        (one) => `#EXT-X-MEDIA:${format(withUri(inGroup(one, ['GROUP-ID'], pathway), pathway))}`,
      ),
      ...variants
        .filter(({ attributes }) => isKept(attributes))
        .flatMap(({ attributes, uri }) => [
          `#EXT-X-STREAM-INF:${format(onPathway(attributes, pathway))}`,
          pathway.resolve(uri),
        ]),
      ...iFrames
        .filter(isKept)
        .map(
          (one) => `#EXT-X-I-FRAME-STREAM-INF:${format(withUri(onPathway(one, pathway), pathway))}`,
        ),
    ]),
    '',
  ].join('\n');
}

function onPathway(attributes: Attributes, pathway: Pathway): Attributes {
  return new Map([
    ...inGroup(attributes, groups, pathway),
    ['PATHWAY-ID', { text: pathway.id, quoted: true }],
  ]);
}

/** Renditions of a pathway are a group of their own. CLOSED-CAPTIONS=NONE is no group. */
function inGroup(
  attributes: Attributes,
  names: readonly string[],
  { id }: Pathway,
): Map<string, AttributeValue> {
  return new Map(
    [...attributes].map(([name, value]) => [
      name,
      names.includes(name) && value.quoted ? { text: `${value.text}@${id}`, quoted: true } : value,
    ]),
  );
}

function withUri(attributes: Attributes, { resolve }: Pathway): Attributes {
  const uri = attributes.get('URI');
  if (uri === undefined) return attributes;
  return new Map([...attributes, ['URI', { text: resolve(uri.text), quoted: true }]]);
}

function format(attributes: Attributes): string {
  return [...attributes]
    .map(([name, { text, quoted }]) => `${name}=${quoted ? `"${text}"` : text}`)
    .join(',');
}
