import { createHash } from 'node:crypto';
import type { HashFactory } from '@tapline/base';

/** sha256 of the platform. */
export const sha256: HashFactory = () => {
  const hash = createHash('sha256');
  return {
    update: (bytes) => {
      hash.update(bytes);
    },
    hex: () => hash.digest('hex'),
  };
};
