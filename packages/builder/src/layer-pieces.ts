import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type Digest, encodeFileIndex, parseDigest } from '@tapline/oci';
import { type Compression, pieceBytes } from './compression.ts';
import { gzipEnd, gzipHeader } from './gzip-member.ts';
import { LayerIndexer } from './layer-indexer.ts';

/** What a layer's tar and its file index say, from the pieces of the tar as they go by. */
export class LayerPieces {
  readonly #compression: Compression;
  readonly #diff = createHash('sha256');
  readonly #indexer = new LayerIndexer();
  readonly #starts: number[] = [];
  #checksum = 0;
  #unpackedBytes = 0;

  constructor(compression: Compression) {
    this.#compression = compression;
  }

  /** What comes before the first piece. */
  get header(): Uint8Array {
    return this.#compression === 'gzip' ? gzipHeader : new Uint8Array();
  }

  /** The next piece as it is unpacked. */
  take(piece: Uint8Array): void {
    this.#diff.update(piece);
    this.#indexer.push(piece);
    if (this.#compression === 'gzip') this.#checksum = crc32(piece, this.#checksum);
    this.#unpackedBytes += piece.length;
  }

  /** Where the next piece begins in the layer. */
  startAt(offset: number): void {
    this.#starts.push(offset);
  }

  /** What comes behind the last piece. */
  trailer(): Uint8Array {
    if (this.#compression !== 'gzip') return new Uint8Array();
    return gzipEnd({ checksum: this.#checksum, unpackedBytes: this.#unpackedBytes });
  }

  diffId(): Digest {
    return parseDigest(`sha256:${this.#diff.copy().digest('hex')}`);
  }

  /** Of the layer of that digest, whose last piece ends at `end`. */
  fileIndex(layer: Digest, end: number): Uint8Array {
    const compression = this.#compression;
    const [pieces, paths] = [this.#starts, this.#indexer.paths()];
    return encodeFileIndex({ layer, compression, pieceBytes, pieces, end, paths });
  }
}
