import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import {
  BlockExcerpts,
  type DeflateEncoder,
  type Digest,
  type KeptBits,
  parseDigest,
} from '@tapline/oci';
import { compressPiece } from '../compress-piece.ts';
import { type Compression, pieceBytes } from '../compression.ts';
import { gzipEnd, gzipHeader } from '../gzip-member.ts';
import { LayerPieces } from '../layer-pieces.ts';
import type { BlockBits } from './block-bits.ts';
import type { BlockLog } from './block-log.ts';
import type { TarPart } from './tar-part.ts';

export interface LayerEncoderInit {
  readonly compression: Compression;
  readonly deflate: DeflateEncoder;
  readonly blocks: BlockLog;
  readonly bits: BlockBits;
  /** Takes the next bytes of the layer, which are valid until it returns. */
  readonly emit: (bytes: Uint8Array) => void;
}

/** What an encoder made, but for what the store says of it. */
export interface EncodedLayer {
  readonly digest: Digest;
  readonly diffId: Digest;
  /** Gzipped. */
  readonly fileIndex: Uint8Array;
}

/**
 * Compresses a tar in pieces of {@link pieceBytes} that can be decompressed apart from each other.
 * Blocks of the bottle are copied as far as nobody changed their bytes, so that they are neither looked
 * for matches again nor larger than Homebrew made them.
 */
export class LayerEncoder {
  readonly #init: LayerEncoderInit;
  readonly #pieces: LayerPieces;
  readonly #piece = Buffer.alloc(pieceBytes);
  readonly #excerpts = new BlockExcerpts();
  readonly #hash = createHash('sha256');
  #filled = 0;
  #spans: { at: number; length: number; source: number }[] = [];
  #size = 0;

  constructor(init: LayerEncoderInit) {
    this.#init = init;
    this.#pieces = new LayerPieces(init.compression);
    this.#emit(this.#pieces.header);
  }

  push({ bytes, source }: TarPart): void {
    for (let from = 0; from < bytes.length;) {
      const part = bytes.subarray(from, from + pieceBytes - this.#filled);
      this.#piece.set(part, this.#filled);
      if (source !== undefined) this.#span(source + from, part.length);
      this.#filled += part.length;
      from += part.length;
      if (this.#filled === pieceBytes) this.#endPiece();
    }
  }

  end(): EncodedLayer {
    if (this.#filled > 0) this.#endPiece();
    const end = this.#size;
    this.#emit(this.#pieces.trailer());
    const digest = parseDigest(`sha256:${this.#hash.digest('hex')}`);
    const index = this.#pieces.fileIndex(digest, end);
    return { digest, diffId: this.#pieces.diffId(), fileIndex: this.#gzip(index) };
  }

  #span(source: number, length: number): void {
    const last = this.#spans.at(-1);
    const at = this.#filled;
    if (last?.at === at - (last?.length ?? 0) && last.source + last.length === source) {
      last.length += length;
    } else {
      this.#spans.push({ at, length, source });
    }
  }

  #endPiece(): void {
    const { compression, deflate } = this.#init;
    const piece = this.#piece.subarray(0, this.#filled);
    this.#pieces.take(piece);
    this.#pieces.startAt(this.#size);
    if (compression === 'gzip') this.#emit(deflate.encode(piece, this.#kept(piece)));
    else this.#emit(compressPiece(compression, piece, { deflate }));
    this.#filled = 0;
    this.#spans = [];
  }

  #kept(piece: Uint8Array): readonly KeptBits[] {
    const { blocks, bits } = this.#init;
    bits.forget();
    return blocks.within(this.#spans).flatMap(({ block, wholeAt, common }) => {
      const bytes = bits.of(block);
      const bitStart = block.bitStart % 8;
      const bitEnd = bitStart + block.bitEnd - block.bitStart;
      if (wholeAt === undefined) {
        return this.#excerpts.of({ bytes, bitStart, bitEnd, start: block.start }, piece, common);
      }
      const length = block.end - block.start;
      return [{ at: wholeAt, length, bytes, ranges: [{ from: bitStart, to: bitEnd }] }];
    });
  }

  #emit(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#size += bytes.length;
    this.#hash.update(bytes);
    this.#init.emit(bytes);
  }

  #gzip(bytes: Uint8Array): Uint8Array {
    const { deflate } = this.#init;
    const pieces: Uint8Array[] = [gzipHeader];
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      pieces.push(Uint8Array.from(deflate.encode(bytes.subarray(at, at + pieceBytes))));
    }
    pieces.push(gzipEnd({ checksum: crc32(bytes), unpackedBytes: bytes.length }));
    return Buffer.concat(pieces);
  }
}
