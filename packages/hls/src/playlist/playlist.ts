import type { MediaPlaylist } from './media-playlist.ts';
import type { MultivariantPlaylist } from './multivariant-playlist.ts';

export type Playlist = MediaPlaylist | MultivariantPlaylist;
