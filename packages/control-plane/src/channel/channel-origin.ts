import { TaplineError } from '@tapline/base';
import type { ChannelSpec } from '@tapline/resources';

/** A channel's origin, as edges have to know it. */
export interface ChannelOrigin {
  /** What all of the channel is below; ends with a slash. */
  readonly base: string;
  /** What players begin with, below the base. */
  readonly playlist: string;
}

/** Throws `invalid_origin` where the playlist is not below the base. */
export function channelOrigin({ url, base }: ChannelSpec['origin']): ChannelOrigin {
  const whole = new URL(url).href;
  const below = base === undefined ? folderOf(whole) : new URL(base).href;
  const playlist = whole.startsWith(below) ? whole.slice(below.length) : '';
  if (playlist !== '' && !playlist.startsWith('?')) return { base: below, playlist };
  throw new TaplineError('invalid_origin', `origin ${url} is no file below ${below}`, {
    hint: 'spec.origin.url names a playlist, and spec.origin.base a folder that it is in',
  });
}

function folderOf(url: string): string {
  const path = url.split('?', 1)[0] ?? '';
  return path.slice(0, path.lastIndexOf('/') + 1);
}
