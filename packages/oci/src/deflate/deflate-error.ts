import { TaplineError } from '@tapline/base';

export function deflateCorrupt(what: string, bit: number): TaplineError {
  return new TaplineError('deflate_corrupt', `${what} in byte ${Math.floor(bit / 8)}`, {
    details: { byte: Math.floor(bit / 8) },
  });
}
