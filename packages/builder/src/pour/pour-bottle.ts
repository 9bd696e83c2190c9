import { closeSync, openSync, readSync } from 'node:fs';
import { isTaplineError, TaplineError } from '@tapline/base';
import { type DeflateEncoder, TarDecoder, type TarEvent } from '@tapline/oci';
import type { Compression } from '../compression.ts';
import type { KegFacts } from '../layer-record.ts';
import { BlockBits } from './block-bits.ts';
import { BlockLog } from './block-log.ts';
import { type EncodedLayer, LayerEncoder } from './layer-encoder.ts';
import { KegPouring, type PouredFormula } from './pour-keg.ts';
import { unpackGzip } from './unpack-gzip.ts';

export interface PourRequest extends PouredFormula {
  readonly compression: Compression;
  /** Where the bottle lies, verified. */
  readonly bottlePath: string;
}

export type PouredBottle = EncodedLayer & { readonly keg: KegFacts };

/**
 * Makes a formula's layer of its bottle, in one go: for a thread of its own. `emit` is given the bytes
 * of the layer in their order, valid until it returns. Throws `unsafe_tar_entry`, `bottle_corrupt`.
 */
export function pourBottle(
  request: PourRequest,
  {
    deflate,
    emit,
  }: { readonly deflate: DeflateEncoder; readonly emit: (bytes: Uint8Array) => void },
): PouredBottle {
  const file = openSync(request.bottlePath, 'r');
  try {
    const blocks = new BlockLog();
    const pouring = new KegPouring(request);
    const bits = new BlockBits((into, at) => readSync(file, into, 0, into.length, at));
    const encoder = new LayerEncoder({ ...request, deflate, blocks, bits, emit });
    for (const part of pouring.tar(readTar(file, blocks, request.formula))) encoder.push(part);
    return { ...encoder.end(), keg: pouring.facts() };
  } finally {
    closeSync(file);
  }
}

function* readTar(file: number, blocks: BlockLog, formula: string): Generator<TarEvent, void> {
  const decoder = new TarDecoder();
  let at = 0;
  const read = (into: Uint8Array): number => {
    const count = readSync(file, into, 0, into.length, at);
    at += count;
    return count;
  };
  const parts = unpackGzip(read, (block) => blocks.add(block));
  for (;;) {
    const next = decoded(formula, () => parts.next());
    if (next.done === true) break;
    yield* decoded(formula, () => decoder.push(next.value));
  }
  decoded(formula, () => decoder.end());
}

/** The digest was right: what cannot be decoded is the same when it is fetched again. */
function decoded<T>(formula: string, step: () => T): T {
  try {
    return step();
  } catch (cause) {
    if (!isTaplineError(cause) || !/^(tar|gzip|deflate)_/.test(cause.code)) throw cause;
    throw new TaplineError('bottle_corrupt', `bottle of ${formula} is not a gzipped tar archive`, {
      cause,
      details: { formula },
    });
  }
}
