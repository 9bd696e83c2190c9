import { concatBytes, TaplineError } from '@tapline/base';
import { readVarint, writeVarint } from './varint.ts';

/**
 * Blocks as one whose bytes are theirs, one after the other: copies reach back from where they are, so
 * nothing is compressed anew.
 */
export function joinSnappy(blocks: readonly Uint8Array[]): Uint8Array {
  let total = 0;
  const parts = blocks.map((block) => {
    const length = readVarint(block, 0);
    if (length === undefined) throw new TaplineError('snappy_invalid', 'a block has no length');
    total += length.value;
    return block.subarray(length.end);
  });
  const head = new Uint8Array(5);
  return concatBytes([head.subarray(0, writeVarint(head, 0, total)), ...parts]);
}
