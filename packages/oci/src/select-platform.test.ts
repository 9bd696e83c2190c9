import { expect, test } from 'vitest';
import { parseDigest } from './digest.ts';
import { formatPlatform } from './format-platform.ts';
import { mediaTypes } from './media-types.ts';
import { parsePlatform } from './parse-platform.ts';
import { selectPlatform } from './select-platform.ts';

const digest = parseDigest(`sha256:${'d'.repeat(64)}`);

function select(offered: readonly string[], wanted: string): string | undefined {
  const manifests = offered.map((text) => ({
    mediaType: mediaTypes.ociManifest,
    digest,
    size: 1,
    platform: parsePlatform(text),
  }));
  const selected = selectPlatform(
    { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests },
    parsePlatform(wanted),
  );
  return selected?.platform && formatPlatform(selected.platform);
}

test.each([
  [['linux/amd64', 'linux/arm64'], 'linux/arm64', 'linux/arm64'],
  [['linux/amd64', 'linux/arm64/v8'], 'linux/arm64', 'linux/arm64/v8'],
  [['linux/amd64', 'linux/arm64'], 'linux/arm64/v8', 'linux/arm64'],
  [['linux/arm64'], 'linux/aarch64', 'linux/arm64'],
  [['linux/arm64/v9', 'linux/arm64/v8'], 'linux/arm64', 'linux/arm64/v8'],
  [['linux/arm64/v8', 'linux/arm64/v8.2'], 'linux/arm64/v9', 'linux/arm64/v8.2'],
  [['linux/arm/v5', 'linux/arm/v7', 'linux/arm/v6'], 'linux/arm', 'linux/arm/v7'],
  [['linux/arm/v7'], 'linux/arm/v6', undefined],
  [['linux/amd64/v3', 'linux/amd64'], 'linux/amd64', 'linux/amd64'],
  [['linux/amd64/v3', 'linux/amd64'], 'linux/amd64/v4', 'linux/amd64/v3'],
  [['linux/ppc64le/power9'], 'linux/ppc64le/power9', 'linux/ppc64le/power9'],
  [['linux/ppc64le/power9'], 'linux/ppc64le', undefined],
  [['unknown/unknown', 'darwin/arm64'], 'linux/arm64', undefined],
])('of %j, %s takes %s', (offered, wanted, expected) => {
  expect(select(offered, wanted)).toBe(expected);
});

test('an index may have descriptors without a platform', () => {
  const manifests = [{ mediaType: mediaTypes.ociManifest, digest, size: 1 }];
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests } as const;
  expect(selectPlatform(index, parsePlatform('linux/amd64'))).toBeUndefined();
});

test.each(['', 'linux', 'linux/', '/arm64', 'linux/arm64/', 'a/b/c/d', 'Linux/arm64', 'a/b\n'])(
  'refuses %j',
  (text) => {
    expect(() => parsePlatform(text)).toThrow(
      expect.objectContaining({ code: 'platform_invalid' }),
    );
  },
);
