import type { EncryptionKey, PlaylistStart } from './media-playlist.ts';

export interface Variant {
  readonly uri: string;
  /** Whether it holds I-frames only, for trick play. */
  readonly iFrames: boolean;
  /** Peak bits per second. */
  readonly bandwidth: number;
  readonly averageBandwidth?: number;
  readonly codecs: readonly string[];
  readonly resolution?: { readonly width: number; readonly height: number };
  readonly frameRate?: number;
  readonly videoRange?: string;
  readonly hdcpLevel?: string;
  readonly score?: number;
  readonly pathwayId?: string;
  readonly stableId?: string;
  /** Names of groups of renditions. */
  readonly audio?: string;
  readonly video?: string;
  readonly subtitles?: string;
  /** A group's name, or NONE without quotes. */
  readonly closedCaptions?: string;
}

export interface Rendition {
  readonly type: 'AUDIO' | 'VIDEO' | 'SUBTITLES' | 'CLOSED-CAPTIONS';
  readonly groupId: string;
  readonly name: string;
  /** Absent where the media is in the variant itself. */
  readonly uri?: string;
  readonly language?: string;
  readonly isDefault: boolean;
  readonly autoselect: boolean;
  readonly forced: boolean;
  readonly instreamId?: string;
  readonly channels?: string;
  readonly characteristics?: string;
  readonly stableId?: string;
}

export interface SessionData {
  readonly dataId: string;
  readonly value?: string;
  readonly uri?: string;
  readonly language?: string;
}

export interface ContentSteering {
  readonly serverUri: string;
  readonly pathwayId?: string;
}

/** A multivariant playlist (RFC 8216bis §4.4.6): in which renditions a channel is there. */
export interface MultivariantPlaylist {
  readonly kind: 'multivariant';
  readonly version: number;
  readonly independentSegments: boolean;
  readonly start?: PlaylistStart;
  readonly variants: readonly Variant[];
  readonly renditions: readonly Rendition[];
  readonly sessionKeys: readonly EncryptionKey[];
  readonly sessionData: readonly SessionData[];
  readonly contentSteering?: ContentSteering;
  /** Variables that media playlists may import. */
  readonly variables: Readonly<Record<string, string>>;
}
