import { createHash } from 'node:crypto';
import type { HashFactory } from '@tapline/base';
import { expect, test } from 'vitest';
import { digestBytes } from './digest-bytes.ts';
import { parseDigest } from './digest.ts';

const sha256: HashFactory = () => {
  const hash = createHash('sha256');
  return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest('hex') };
};

test('digests the empty JSON object as OCI image 1.1 gives it', () => {
  expect(digestBytes(new TextEncoder().encode('{}'), sha256)).toBe(
    'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
  );
});

test('takes sha256 and sha512', () => {
  expect(parseDigest(`sha256:${'0'.repeat(64)}`)).toHaveLength(71);
  expect(parseDigest(`sha512:${'f'.repeat(128)}`)).toHaveLength(135);
});

test.each([
  '',
  'sha256',
  'sha256:',
  `sha256:${'0'.repeat(63)}`,
  `sha256:${'0'.repeat(65)}`,
  `sha256:${'A'.repeat(64)}`,
  `sha512:${'0'.repeat(64)}`,
  `md5:${'0'.repeat(32)}`,
  `sha256:${'0'.repeat(64)}\n`,
  `../sha256:${'0'.repeat(64)}`,
])('refuses %j', (text) => {
  expect(() => parseDigest(text)).toThrow(expect.objectContaining({ code: 'digest_invalid' }));
});
