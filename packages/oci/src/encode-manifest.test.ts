import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDigest } from './digest.ts';
import { encodeManifest } from './encode-manifest.ts';
import { mediaTypes } from './media-types.ts';

const config = {
  mediaType: mediaTypes.ociConfig,
  digest: parseDigest(`sha256:${'b'.repeat(64)}`),
  size: 2,
};

test('sorts keys and leaves out what is absent', () => {
  const bytes = encodeManifest({
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    layers: [],
    config,
    annotations: { b: '2', a: '1', '10': 'x', '9': 'y' },
  });
  expect(new TextDecoder().decode(bytes)).toBe(
    `{"annotations":{"10":"x","9":"y","a":"1","b":"2"},"config":{"digest":"${config.digest}",` +
      `"mediaType":"${mediaTypes.ociConfig}","size":2},"layers":[],` +
      `"mediaType":"${mediaTypes.ociManifest}","schemaVersion":2}`,
  );
});

test('does not depend on the order of insertion', () => {
  const annotations = fc.dictionary(fc.string(), fc.string());
  fc.assert(
    fc.property(annotations, (given) => {
      const reversed = Object.fromEntries(Object.entries(given).toReversed());
      expect(encode(reversed)).toEqual(encode(given));
      expect(JSON.parse(new TextDecoder().decode(encode(given))).annotations).toEqual(given);
    }),
    { numRuns: 200 },
  );
});

function encode(annotations: Readonly<Record<string, string>>): Uint8Array {
  const layers: readonly [] = [];
  const mediaType = mediaTypes.ociManifest;
  return encodeManifest({ schemaVersion: 2, mediaType, config, layers, annotations });
}
