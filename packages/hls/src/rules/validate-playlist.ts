import type { Finding } from '../playlist/finding.ts';
import type { Playlist } from '../playlist/playlist.ts';
import { parsePlaylist, type ParseOptions } from '../reading/parse-playlist.ts';
import { checkPlaylist } from './check-playlist.ts';

/** Reads a playlist and checks it: what is wrong with its lines, then what it does against the rules. */
export function validatePlaylist(
  input: Uint8Array | string,
  options: ParseOptions = {},
): { readonly playlist: Playlist; readonly findings: readonly Finding[] } {
  const { playlist, findings } = parsePlaylist(input, options);
  return { playlist, findings: [...findings, ...checkPlaylist(playlist)] };
}
