import { mixText } from './mix-text.ts';

/** Four keys per channel (AN 0 to 3), used in turn. */
export function associationNumber(epoch: number): number {
  return epoch & 3;
}

/** 16 bytes that `ip macsec show` prints, in hexadecimal: which key it is, and nothing of the key. */
export function macsecKeyId(key: {
  readonly fromKey: string;
  readonly epoch: number;
  readonly generation: number;
}): string {
  const { fromKey, epoch, generation } = key;
  return [epoch, generation, mixText(fromKey), mixText(`second\0${fromKey}`)].map(word).join('');
}

function word(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0');
}
