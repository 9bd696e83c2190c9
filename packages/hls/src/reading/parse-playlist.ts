import { TaplineError } from '@tapline/base';
import type { Finding } from '../playlist/finding.ts';
import type { Playlist } from '../playlist/playlist.ts';
import { defaultPlaylistLimits, type PlaylistLimits } from '../playlist/playlist-limits.ts';
import { queryParameters } from './query-parameters.ts';
import { readMedia } from './read-media.ts';
import { readMultivariant } from './read-multivariant.ts';
import { Reading } from './reading.ts';
import { tagLines } from './tag-line.ts';
import { Variables } from './variables.ts';

export interface ParseOptions {
  readonly limits?: Partial<PlaylistLimits>;
  /** The playlist's own address: EXT-X-DEFINE may take parameters from it. */
  readonly url?: string;
  /** Variables of the multivariant playlist that led here. */
  readonly variables?: Readonly<Record<string, string>>;
}

export interface ParsedPlaylist {
  readonly playlist: Playlist;
  /** What was wrong with tags and lines; what can be read is read nevertheless. */
  readonly findings: readonly Finding[];
}

const multivariantTag =
  /^#EXT-X-(?:STREAM-INF|MEDIA|I-FRAME-STREAM-INF|SESSION-DATA|SESSION-KEY|CONTENT-STEERING):/m;
const segmentTag = /^#EXT(?:INF|-X-TARGETDURATION|-X-PART|-X-PART-INF):/m;

/**
 * Reads a playlist. Throws `playlist_invalid` for what is no playlist (no UTF-8, no EXTM3U at its
 * beginning: an error page, say) and `playlist_too_large` for one beyond a limit.
 */
export function parsePlaylist(
  input: Uint8Array | string,
  options: ParseOptions = {},
): ParsedPlaylist {
  const limits = { ...defaultPlaylistLimits, ...options.limits };
  const text = decode(input, limits);
  const first = /^#EXTM3U[ \t]*(?:\r?\n|$)/.exec(text);
  if (first === null) {
    const shown = JSON.stringify(text.slice(0, 40));
    throw new TaplineError('playlist_invalid', `playlist begins with ${shown}, not with #EXTM3U`);
  }
  const reading = new Reading(limits);
  const variables = new Variables({
    imported: options.variables ?? {},
    query: queryParameters(options.url ?? ''),
  });
  const lines = linesAfterFirst(text, { reading, maxLineLength: limits.maxLineLength });
  const context = { reading, variables };
  const playlist =
    multivariantTag.test(text) && !segmentTag.test(text)
      ? readMultivariant(lines, context)
      : readMedia(lines, context);
  return { playlist, findings: reading.findings };
}

function* linesAfterFirst(
  text: string,
  { reading, maxLineLength }: { readonly reading: Reading; readonly maxLineLength: number },
): ReturnType<typeof tagLines> {
  for (const line of tagLines(text)) {
    if (line.line === 1) continue;
    reading.line = line.line;
    const length = line.kind === 'uri' ? line.text.length : line.value.length + line.name.length;
    if (length > maxLineLength) {
      throw new TaplineError(
        'playlist_too_large',
        `line ${line.line}: ${length} characters exceed ${maxLineLength}`,
      );
    }
    if (line.kind === 'tag' && line.name === 'EXTM3U') {
      reading.fail('tag-repeated', 'EXTM3U is there twice');
      continue;
    }
    yield line;
  }
}

function decode(input: Uint8Array | string, { maxBytes }: PlaylistLimits): string {
  // UTF-8 has at least as many bytes as UTF-16 has units.
  if (input.length > maxBytes) {
    throw new TaplineError(
      'playlist_too_large',
      `playlist of ${input.length} bytes exceeds ${maxBytes}`,
    );
  }
  if (typeof input === 'string') return input;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(input);
  } catch (cause) {
    throw new TaplineError('playlist_invalid', 'playlist is not UTF-8', { cause });
  }
}
