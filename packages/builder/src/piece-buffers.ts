import { pieceBytes } from './compression.ts';

/**
 * Memory for one piece and its compressed form. It travels between threads and comes back: memory
 * that is made anew for each piece costs the garbage collector more time than its hash takes.
 */
export interface PieceBuffers {
  readonly input: Uint8Array<ArrayBuffer>;
  readonly output: Uint8Array<ArrayBuffer>;
}

/** What neither deflate nor zstd makes of a piece: they store what does not shrink. */
const outputBytes = pieceBytes + pieceBytes / 128 + 1024;

export function newPieceBuffers(): PieceBuffers {
  return { input: new Uint8Array(pieceBytes), output: new Uint8Array(outputBytes) };
}
