/** Where players begin: one playlist with the ways over all edges that serve the channel. */
export interface ChannelEntry {
  /** The origin's playlist, relative to the channel's prefix. */
  readonly playlist: string;
  /** Where its origin has what the prefix stands for; absolute URIs below it are the channel's. */
  readonly originBase: string;
  /** Edges that serve the channel now, this one among them or not, in the order to prefer. */
  readonly pathways: readonly EdgePathway[];
  /** How long players go by an answer to which edge they should take. */
  readonly steeringSeconds: number;
}

export interface EdgePathway {
  readonly id: string;
  /** The edge's address, without the channel's prefix. */
  readonly url: string;
}

/** Below a channel's prefix, what its origin never has. */
export const entryFolder = '~tapline/';
export const entryPlaylist = 'index.m3u8';
export const steeringManifest = 'steering.json';
