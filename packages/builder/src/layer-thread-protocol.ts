import type { ErrorData } from '@tapline/base';
import type { Compression } from './compression.ts';
import type { PieceBuffers } from './piece-buffers.ts';
import type { Chunk, ChunkMemory } from './pour/chunk-channel.ts';
import type { PouredBottle, PourRequest } from './pour/pour-bottle.ts';

export interface CompressRequest {
  readonly compression: Compression;
  readonly buffers: PieceBuffers;
  /** Of the piece, which is at the start of the input. */
  readonly length: number;
}

/** What a thread is asked for, one at a time. */
export type LayerThreadRequest =
  | ({ readonly kind: 'compress' } & CompressRequest)
  | { readonly kind: 'pour'; readonly bottle: PourRequest; readonly memory: ChunkMemory };

/** Chunks of what is poured, and then one of the others. */
export type LayerThreadReply =
  | ({ readonly kind: 'chunk' } & Chunk)
  | { readonly kind: 'compressed'; readonly size: number }
  | { readonly kind: 'poured'; readonly poured: PouredBottle }
  | { readonly kind: 'failed'; readonly error: ErrorData };
