import { pieceBytes } from './compression.ts';

/** Memory for one piece and its compressed form, which threads share. */
export interface PieceBuffers {
  readonly input: Uint8Array<SharedArrayBuffer>;
  readonly output: Uint8Array<SharedArrayBuffer>;
}

/**
 * Memory that goes from piece to piece and from layer to layer. Made anew for each piece, or handed
 * from thread to thread, it cost the garbage collector more time than all hashes take.
 */
export interface PieceMemory {
  take(): PieceBuffers;
  /** Nobody may use it any more. */
  giveBack(buffers: PieceBuffers): void;
}

/** What neither deflate nor zstd makes of a piece: they store what does not shrink. */
const outputBytes = pieceBytes + pieceBytes / 128 + 1024;

export function createPieceMemory(): PieceMemory {
  const spare: PieceBuffers[] = [];
  return {
    take: () => spare.pop() ?? newPieceBuffers(),
    giveBack: (buffers) => void spare.push(buffers),
  };
}

function newPieceBuffers(): PieceBuffers {
  return {
    input: new Uint8Array(new SharedArrayBuffer(pieceBytes)),
    output: new Uint8Array(new SharedArrayBuffer(outputBytes)),
  };
}
