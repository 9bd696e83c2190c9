import {
  type Attributes,
  type MultivariantLines,
  readMultivariantLines,
  stableIdOf,
} from './multivariant-lines.ts';
import type { AttributeValue } from '../reading/parse-attributes.ts';

/** One way to the same content: a server that has all of it. */
export interface Pathway {
  /** Letters, digits, dots, dashes and underscores (RFC 8216bis §4.4.6.6). */
  readonly id: string;
  /** Where this way has what the playlist names by that URI. */
  readonly resolve: (uri: string) => string;
}

const groups = ['AUDIO', 'VIDEO', 'SUBTITLES', 'CLOSED-CAPTIONS'] as const;

/**
 * The text of a multivariant playlist with every variant once for each pathway, and with the address
 * at which players are told which one to take (RFC 8216bis §7). A player whose server fails goes on
 * with the same variant of another. Pathways that the text had itself are one way to its origin: the
 * first of them is kept. Variants and renditions get stable ids, by which a pathway that comes later
 * names its own.
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
  const lines = readMultivariantLines(text);
  return [
    ...lines.head,
    ...lines.session.map(({ name, attributes }) => `${name}:${format(withUri(attributes, first))}`),
    `#EXT-X-CONTENT-STEERING:SERVER-URI="${steeringUri}",PATHWAY-ID="${first.id}"`,
    ...pathways.flatMap((pathway) => linesOf(lines, pathway)),
    '',
  ].join('\n');
}

function linesOf({ media, variants, iFrames }: MultivariantLines, pathway: Pathway): string[] {
  return [
    ...media.map((one) => {
      const grouped = inGroup(withStableId(one, 'STABLE-RENDITION-ID'), ['GROUP-ID'], pathway);
      return `#EXT-X-MEDIA:${format(withUri(grouped, pathway))}`;
    }),
    ...variants.flatMap(({ attributes, uri }) => [
      `#EXT-X-STREAM-INF:${format(onPathway(withStableId(attributes, 'STABLE-VARIANT-ID', uri), pathway))}`,
      pathway.resolve(uri),
    ]),
    ...iFrames.map((one) => {
      const placed = onPathway(withStableId(one, 'STABLE-VARIANT-ID'), pathway);
      return `#EXT-X-I-FRAME-STREAM-INF:${format(withUri(placed, pathway))}`;
    }),
  ];
}

function withStableId(
  attributes: Attributes,
  name: 'STABLE-VARIANT-ID' | 'STABLE-RENDITION-ID',
  uri: string | undefined = attributes.get('URI')?.text,
): Attributes {
  if (uri === undefined || attributes.has(name)) return attributes;
  return new Map([...attributes, [name, { text: stableIdOf(uri), quoted: true }]]);
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
