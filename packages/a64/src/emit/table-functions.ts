import type { ModuleFunction } from './build-module.ts';
import { coldFunction } from './cold/cold-function.ts';
import { aesFunction, aesMixFunction } from './crypto/aes-functions.ts';
import { crc32Function } from './crypto/crc32-function.ts';
import { polynomialFunction } from './crypto/polynomial-function.ts';
import { sha1Function, sha256Function, sha256ScheduleFunction } from './crypto/sha-functions.ts';

/**
 * What each machine has at the beginning of its table, for all modules: what runs cold code, and what
 * would be too much to be written out each time.
 */
export const tableIndex = {
  cold: 0,
  aese: 1,
  aesd: 2,
  aesmc: 3,
  aesimc: 4,
  sha1c: 5,
  sha1p: 6,
  sha1m: 7,
  sha256h: 8,
  sha256h2: 9,
  sha256su1: 10,
  polynomial: 11,
  crc32: 12,
} as const;

/** In the order of {@link tableIndex}. */
export function tableFunctions(): readonly ModuleFunction[] {
  const ofVectors = [
    aesFunction('aese'),
    aesFunction('aesd'),
    aesMixFunction(false),
    aesMixFunction(true),
    sha1Function('sha1c'),
    sha1Function('sha1p'),
    sha1Function('sha1m'),
    sha256Function('abcd'),
    sha256Function('efgh'),
    sha256ScheduleFunction(),
    polynomialFunction(),
  ];
  return [
    { ...coldFunction(), type: 'guest' },
    ...ofVectors.map((code) => ({ code, type: 'fuseVector', listed: true }) as const),
    { code: crc32Function(), type: 'crc32', listed: true },
  ];
}
