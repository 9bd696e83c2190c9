const address = 0x400000;
const codeOffset = 0x1000;

/** A static AArch64 program of these words, with a page of data behind them that can be written. */
export function staticProgram(words: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(codeOffset + words.length * 4);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 183, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(address + codeOffset), true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 2, true);
  const segment = (
    at: number,
    fields: {
      readonly flags: number;
      readonly offset: number;
      readonly address: number;
      readonly fileSize: number;
      readonly size: number;
    },
  ): void => {
    view.setUint32(at, 1, true);
    view.setUint32(at + 4, fields.flags, true);
    view.setBigUint64(at + 8, BigInt(fields.offset), true);
    view.setBigUint64(at + 16, BigInt(fields.address), true);
    view.setBigUint64(at + 32, BigInt(fields.fileSize), true);
    view.setBigUint64(at + 40, BigInt(fields.size), true);
    view.setBigUint64(at + 48, 0x1000n, true);
  };
  const size = bytes.length;
  segment(64, { flags: 5, offset: 0, address, fileSize: size, size });
  segment(120, { flags: 6, offset: 0, address: address + 0x10000, fileSize: 0, size: 0x1000 });
  for (const [index, word] of words.entries()) view.setUint32(codeOffset + index * 4, word, true);
  return bytes;
}
