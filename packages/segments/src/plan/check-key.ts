import { isRecord, TaplineError } from '@tapline/base';

/** 32 bytes, base64url. */
const publicKey = /^[A-Za-z0-9_-]{43}$/;

/** Checks a reference to a key that comes from a process with fewer rights. Throws `operation_invalid`. */
export function checkKey(value: unknown, use: 'esp' | 'macsec'): void {
  const key = isRecord(value) ? value : {};
  const { from, to, epoch, generation, fromKey, toKey, over, sealed } = key;
  const fine =
    key['use'] === use &&
    isName(from) &&
    (to === undefined || isName(to)) &&
    isCount(epoch) &&
    isCount(generation) &&
    matches(fromKey, publicKey) &&
    (use === 'macsec' && toKey === undefined ? true : matches(toKey, publicKey)) &&
    (over === undefined || over === 'link') &&
    (sealed === undefined || matches(sealed, /^[A-Za-z0-9_-]{80}$/));
  if (fine) return;
  throw new TaplineError('operation_invalid', 'operation refused: its key is not named as one is', {
    hint: 'a key has a use, names, public keys, epoch and generation',
  });
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= 253;
}

function isCount(value: unknown): boolean {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function matches(value: unknown, pattern: RegExp): boolean {
  return typeof value === 'string' && pattern.test(value);
}
