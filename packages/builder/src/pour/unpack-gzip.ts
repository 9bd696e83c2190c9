import { crc32 } from 'node:zlib';
import { TaplineError } from '@tapline/base';
import { CompressedInput, InflateDecoder, type InflatedBlock } from '@tapline/oci';

/** RFC 1952 §2.3.1. */
const flag = { headerChecksum: 2, extra: 4, name: 8, comment: 16 } as const;

/**
 * What is in a gzip file, in parts that are valid until the next one. Like gzip, takes several members
 * one after the other, and ignores what follows them. Throws `gzip_corrupt`, `deflate_corrupt`.
 */
export function* unpackGzip(
  read: (into: Uint8Array) => number,
  onBlock: (block: InflatedBlock) => void,
): Generator<Uint8Array, void> {
  const input = new CompressedInput(read);
  let isFirst = true;
  while (startsMember(input, isFirst)) {
    // Offsets of blocks are those of the first member, and bottles have no other.
    const decoder = new InflateDecoder(input, isFirst ? { onBlock } : {});
    isFirst = false;
    let checksum = 0;
    let size = 0;
    for (let part = decoder.next(); part !== undefined; part = decoder.next()) {
      checksum = crc32(part, checksum);
      size += part.length;
      yield part;
    }
    input.align();
    if (word(input) !== checksum) throw corrupt('another checksum than its content');
    if (word(input) !== size % 2 ** 32) throw corrupt('another size than its content');
  }
}

function startsMember(input: CompressedInput, isFirst: boolean): boolean {
  if (input.byte() !== 0x1f || input.byte() !== 0x8b) {
    if (isFirst) throw corrupt('no gzip header');
    return false;
  }
  if (input.byte() !== 8) throw corrupt('another compression than deflate');
  const flags = must(input);
  if ((flags & 0xe0) !== 0) throw corrupt('flags that nobody defined');
  // The time, how hard it was compressed, and the system.
  skip(input, 6);
  if ((flags & flag.extra) !== 0) skip(input, must(input) + must(input) * 256);
  if ((flags & flag.name) !== 0) while (must(input) !== 0);
  if ((flags & flag.comment) !== 0) while (must(input) !== 0);
  if ((flags & flag.headerChecksum) !== 0) skip(input, 2);
  return true;
}

function skip(input: CompressedInput, count: number): void {
  for (let skipped = 0; skipped < count; skipped += 1) must(input);
}

function word(input: CompressedInput): number {
  return must(input) + must(input) * 2 ** 8 + must(input) * 2 ** 16 + must(input) * 2 ** 24;
}

function must(input: CompressedInput): number {
  const byte = input.byte();
  if (byte < 0) throw corrupt('an end within itself');
  return byte;
}

function corrupt(what: string): TaplineError {
  return new TaplineError('gzip_corrupt', `gzip file with ${what}`);
}
