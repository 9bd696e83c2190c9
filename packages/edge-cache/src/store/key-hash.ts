import { hash } from 'node:crypto';

/** 64 bits that stand for a key in the index; the key itself is compared when the record is read. */
export interface KeyHash {
  readonly high: number;
  readonly low: number;
}

export function hashKey(key: string): KeyHash {
  const bytes = hash('sha256', key, 'buffer');
  return { high: bytes.readUInt32LE(0), low: bytes.readUInt32LE(4) };
}
