import { isTaplineError } from '@tapline/base';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeManifest } from './encode-manifest.ts';
import type { ImageIndex } from './image-index.ts';
import type { ImageManifest } from './image-manifest.ts';
import { mediaTypes } from './media-types.ts';
import { parseManifest } from './parse-manifest.ts';
import { parseDigest } from './digest.ts';

const digest = parseDigest(`sha256:${'a'.repeat(64)}`);
const config = { mediaType: mediaTypes.ociConfig, digest, size: 2 };
const manifest: ImageManifest = {
  schemaVersion: 2,
  mediaType: mediaTypes.ociManifest,
  config,
  layers: [
    {
      mediaType: mediaTypes.ociLayerTarGzip,
      digest,
      size: 9,
      annotations: { __proto__: 'kept', 'sh.brew.tab': '{}' },
    },
  ],
  subject: { mediaType: mediaTypes.ociManifest, digest, size: 3 },
  annotations: { 'org.opencontainers.image.created': '2026-01-01T00:00:00Z' },
};
const index: ImageIndex = {
  schemaVersion: 2,
  mediaType: mediaTypes.ociIndex,
  manifests: [
    {
      mediaType: mediaTypes.ociManifest,
      digest,
      size: 10,
      platform: { os: 'linux', architecture: 'arm64', variant: 'v8', 'os.version': 'Ubuntu 24.04' },
    },
  ],
};

function withField(field: string, value: unknown): string {
  return JSON.stringify({ ...manifest, [field]: value });
}

describe('reads', () => {
  test('a manifest', () => {
    expect(parseManifest(JSON.stringify(manifest))).toEqual({ kind: 'manifest', manifest });
  });

  test('an index', () => {
    expect(parseManifest(encodeManifest(index))).toEqual({ kind: 'index', index });
  });

  test('documents without a media type, by what they hold', () => {
    expect(parseManifest(withField('mediaType', undefined))).toEqual({
      kind: 'manifest',
      manifest,
    });
    expect(parseManifest(JSON.stringify({ ...index, mediaType: undefined }))).toEqual({
      kind: 'index',
      index,
    });
  });

  test('Docker schema 2', () => {
    expect(parseManifest(withField('mediaType', mediaTypes.dockerManifest))).toMatchObject({
      kind: 'manifest',
      manifest: { mediaType: mediaTypes.dockerManifest },
    });
  });
});

describe('refuses, naming the field', () => {
  test.each([
    ['{', /manifest is not JSON/],
    ['[]', /manifest must be an object/],
    ['{}', /manifest\.schemaVersion must be 2, not missing/],
    [withField('config', undefined), /manifest\.config must be an object, not missing/],
    [withField('layers', {}), /manifest\.layers must be an array/],
    [withField('layers', [{ ...config, size: -1 }]), /manifest\.layers\[0\]\.size must be/],
    [withField('layers', [{ ...config, size: 1.5 }]), /manifest\.layers\[0\]\.size must be/],
    [withField('layers', [config, { ...config, digest: 'x' }]), /layers\[1\]\.digest must be/],
    [withField('config', { ...config, mediaType: 'x' }), /manifest\.config\.mediaType/],
    [withField('config', { ...config, data: 'a' }), /manifest\.config\.data must be base64/],
    [withField('annotations', { a: 1 }), /manifest\.annotations\["a"\] must be a string, not 1/],
    [withField('manifests', []), /both manifests and layers/],
    [
      withField(
        'layers',
        Array.from({ length: 4097 }, () => config),
      ),
      /4097 items, more than 4096/,
    ],
  ])('%.60s', (text, message) => {
    expect(() => parseManifest(text)).toThrow(
      expect.objectContaining({
        code: 'manifest_invalid',
        message: expect.stringMatching(message),
      }),
    );
  });

  test('other schemas and types as unsupported', () => {
    for (const text of [
      withField('schemaVersion', 1),
      withField('mediaType', 'application/vnd.example+json'),
    ]) {
      expect(() => parseManifest(text)).toThrow(
        expect.objectContaining({ code: 'manifest_unsupported' }),
      );
    }
  });

  test('more than 4 MiB', () => {
    const text = withField('annotations', { a: 'x'.repeat(4 * 1024 * 1024) });
    expect(() => parseManifest(text)).toThrow(/exceeds 4194304/);
  });

  test('what is not UTF-8', () => {
    expect(() => parseManifest(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(/not JSON in UTF-8/);
  });
});

test('any JSON is read or refused with a code', () => {
  const field = fc.constantFrom(
    'schemaVersion',
    'mediaType',
    'config',
    'layers',
    'manifests',
    'subject',
    'annotations',
  );
  fc.assert(
    fc.property(fc.dictionary(field, fc.jsonValue({ maxDepth: 3 })), (fields) => {
      const text = JSON.stringify({ ...manifest, ...fields });
      expect(outcome(() => parseManifest(text))).toMatch(
        /^(ok|manifest_invalid|manifest_unsupported)$/,
      );
    }),
    { numRuns: 1000 },
  );
});

function outcome(run: () => unknown): unknown {
  try {
    run();
    return 'ok';
  } catch (error) {
    return isTaplineError(error) ? error.code : error;
  }
}
