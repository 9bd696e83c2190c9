import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { isTaplineError, TaplineError } from '@tapline/base';
import { TarDecoder, type TarEvent } from '@tapline/oci';
import type { Compression } from './compression.ts';

export interface ReadBottleOptions {
  /** Of errors. */
  readonly formula: string;
  /** gzip unless given: bottles have no other. */
  readonly compression?: Compression;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What is in a bottle, or in any gzipped tar, as it is decoded. Throws `bottle_corrupt` for what is
 * neither: the digest was right, so trying again gives the same.
 */
export async function* readBottle(
  path: string,
  { formula, signal, compression = 'gzip' }: ReadBottleOptions,
): AsyncGenerator<TarEvent, void> {
  const decoder = new TarDecoder();
  const chunkSize = 256 * 1024;
  const gunzip =
    compression === 'gzip' ? createGunzip({ chunkSize }) : createZstdDecompress({ chunkSize });
  // Errors of either come out of the iteration.
  pipeline(createReadStream(path, { highWaterMark: chunkSize }), gunzip, () => undefined);
  try {
    for await (const chunk of gunzip) {
      signal?.throwIfAborted();
      yield* decode(() => decoder.push(chunk as Buffer), formula);
    }
  } catch (error) {
    throw isZlibError(error) ? corrupt(formula, error) : error;
  } finally {
    gunzip.destroy();
  }
  decode(() => {
    decoder.end();
    return [];
  }, formula);
}

function decode(step: () => readonly TarEvent[], formula: string): readonly TarEvent[] {
  try {
    return step();
  } catch (error) {
    if (isTaplineError(error) && error.code.startsWith('tar_')) throw corrupt(formula, error);
    throw error;
  }
}

function isZlibError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^Z(STD)?_/.test(String(error.code));
}

function corrupt(formula: string, cause: unknown): TaplineError {
  return new TaplineError('bottle_corrupt', `bottle of ${formula} is not a gzipped tar archive`, {
    cause,
    details: { formula },
  });
}
