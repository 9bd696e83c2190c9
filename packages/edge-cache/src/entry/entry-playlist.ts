import { addPathways, clonePathway, type Pathway, parsePlaylist } from '@tapline/hls';
import {
  type ChannelEntry,
  type EdgePathway,
  entryFolder,
  steeringManifest,
} from './channel-entry.ts';

/** Players and proxies take it for what a rendition of unknown rate could need. */
const unknownBandwidth = 5_000_000;

/**
 * The playlist that players begin with, made of the origin's. One that is no multivariant playlist
 * becomes the one variant. Throws what parsing does.
 */
export function entryText(
  text: string,
  about: { readonly entry: ChannelEntry; readonly prefix: string; readonly first: string },
): string {
  const { entry, prefix } = about;
  const pathways = preferred(entry.pathways, about.first).map((way) => pathwayOf(way, about));
  const multivariant = multivariantOf(text, entry);
  const steeringUri = `${prefix}${entryFolder}${steeringManifest}`;
  return addPathways(multivariant, { pathways, steeringUri });
}

/** The origin's playlist where it is a multivariant one, else one with it as the only variant. */
function multivariantOf(text: string, { playlist: path }: ChannelEntry): string {
  const { playlist } = parsePlaylist(text);
  return playlist.kind === 'multivariant'
    ? text
    : `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=${unknownBandwidth}\n${fileOf(path)}\n`;
}

function pathwayOf(
  { id, url }: EdgePathway,
  { entry, prefix }: { readonly entry: ChannelEntry; readonly prefix: string },
): Pathway {
  return { id, resolve: (uri) => placeOnEdge(uri, { edge: url, prefix, entry }) };
}

/**
 * What players are told of the ways there are now (RFC 8216bis §7.2). With `on`, the way that a player
 * is on, and the origin's playlist it hears of those, too, that came after it had begun.
 */
export function steeringText(
  entry: ChannelEntry,
  about: {
    readonly prefix: string;
    readonly first: string;
    readonly on?: string;
    readonly text?: string;
  },
): string {
  const { on, text, prefix } = about;
  const ways = preferred(entry.pathways, about.first);
  // Who is told by another edge hears of it when its own is gone without a word.
  const teller = ways.find(({ id }) => id !== about.first);
  const reload =
    teller === undefined
      ? {}
      : { 'RELOAD-URI': `${teller.url}${about.prefix}${entryFolder}${steeringManifest}` };
  const clones =
    on === undefined || text === undefined
      ? []
      : ways
          .filter(({ id }) => id !== on)
          .map((way) =>
            clonePathway(multivariantOf(text, entry), {
              base: on,
              pathway: pathwayOf(way, { entry, prefix }),
            }),
          );
  return JSON.stringify({
    VERSION: 1,
    TTL: entry.steeringSeconds,
    ...reload,
    ...(clones.length > 0 && { 'PATHWAY-CLONES': clones }),
    'PATHWAY-PRIORITY': ways.map(({ id }) => id),
  });
}

/** The edge that answers comes first where it serves: the player has found a way to it. */
function preferred(pathways: readonly EdgePathway[], first: string): readonly EdgePathway[] {
  return [
    ...pathways.filter(({ id }) => id === first),
    ...pathways.filter(({ id }) => id !== first),
  ];
}

/** Where an edge has what the origin's playlist names; what is not the channel's stays elsewhere. */
function placeOnEdge(
  uri: string,
  about: { readonly edge: string; readonly prefix: string; readonly entry: ChannelEntry },
): string {
  const { originBase, playlist } = about.entry;
  // A variable has to stay as it is written.
  const [place = '', ...rest] = uri.split('{$');
  const absolute = new URL(place, new URL(playlist, originBase)).href;
  const tail = rest.map((one) => `{$${one}`).join('');
  if (!absolute.startsWith(originBase)) return `${absolute}${tail}`;
  return `${about.edge}${about.prefix}${absolute.slice(originBase.length)}${tail}`;
}

function fileOf(path: string): string {
  return path.slice(path.lastIndexOf('/', path.split('?', 1)[0]?.length ?? 0) + 1);
}
