import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { parseFormula } from '@tapline/brew';
import { mediaTypes, parseDigest, parseManifest, type Platform } from '@tapline/oci';
import { FileBlobStore } from '@tapline/registry';
import { createImageSigner, newImageKeyPem, parseTrustedKeys } from '@tapline/signatures';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import type { BuiltImage, BuiltPlatform } from '../built-image.ts';
import type { PlannedBottle } from '../package-plan.ts';
import { readAll } from '../testing/read-all.ts';
import { attachReferrers } from './attach-referrers.ts';

const digest = (text: string) =>
  parseDigest(`sha256:${createHash('sha256').update(text).digest('hex')}`);

function bottle(name: string, dependencies: readonly string[]): PlannedBottle {
  const formula = parseFormula(
    { name, versions: { stable: '1.0' }, bottle: {}, license: 'MIT', dependencies },
    'x86_64_linux',
  );
  return { formula, pkgVersion: '1.0_1', digest: digest(name), url: `https://mirror.test/${name}` };
}

const bottles = [
  bottle('openssl@3', []),
  bottle('c++lib', []),
  bottle('tool', ['openssl@3', 'c++lib']),
];
const root = bottles[2] ?? bottle('tool', []);
const platform: Platform = { os: 'linux', architecture: 'amd64' };
const manifest = { mediaType: mediaTypes.ociManifest, digest: digest('manifest'), size: 3 };
const fileIndex = { digest: digest('index of files'), size: 9 };
const layer = {
  digest: digest('layer'),
  diffId: digest('tar'),
  size: 1,
  unpackedSize: 1,
  fileCount: 1,
  fileIndex,
};
const built: BuiltPlatform = {
  tag: 'x86_64_linux',
  plan: { tag: 'x86_64_linux', root, bottles },
  platform,
  manifest,
  config: { ...platform, rootfs: { type: 'layers', diff_ids: [layer.diffId] } },
  configDigest: digest('config'),
  layers: [{ ...layer, formula: 'tool' }],
  unpackedSize: 1,
  fileCount: 1,
  executables: [],
};
const image: BuiltImage = {
  index: { mediaType: mediaTypes.ociIndex, digest: digest('index'), size: 5 },
  formula: 'tool',
  packageVersion: '1.0_1',
  compression: 'gzip',
  images: [built],
  timings: { planMs: 0, fetchMs: 0, layersMs: 0, assembleMs: 0, totalMs: 0 },
};

test('documents say what is in the image, and who says so', async () => {
  await using folder = await temporaryFolder();
  const store = await FileBlobStore.open(join(folder.path, 'store'));
  const signer = createImageSigner(newImageKeyPem(), { name: 'key' });
  const all = { reference: 'tools/tool', sbom: true, provenance: true, fileIndex: true };
  const referrers = await attachReferrers(store, image, { ...all, signer });
  const read = async (type: string): Promise<readonly unknown[]> => {
    const found = referrers.filter((one) => one.manifest.artifactType === type);
    return await Promise.all(
      found.map(async (one) => {
        const parsed = parseManifest(await readAll(store.read(one.manifest.digest)));
        const document = parsed.kind === 'manifest' ? parsed.manifest : undefined;
        expect(document?.subject?.digest).toBe(one.subject.digest);
        const [blob] = document?.layers ?? [];
        if (blob === undefined || blob.digest === fileIndex.digest) return document;
        return JSON.parse((await readAll(store.read(blob.digest))).toString('utf8')) as unknown;
      }),
    );
  };

  const [sbom] = (await read('application/spdx+json')) as [Record<string, unknown[]>];
  expect(sbom).toMatchObject({ spdxVersion: 'SPDX-2.3', SPDXID: 'SPDXRef-DOCUMENT' });
  const ids = (sbom['packages'] as { SPDXID: string }[]).map(({ SPDXID }) => SPDXID);
  expect(ids).toEqual([
    'SPDXRef-image',
    'SPDXRef-formula-openssl-at-3',
    'SPDXRef-formula-c-plus-pluslib',
    'SPDXRef-formula-tool',
  ]);
  const known = new Set([...ids, 'SPDXRef-DOCUMENT']);
  const relations = sbom['relationships'] as Readonly<Record<string, string>>[];
  for (const { spdxElementId = '', relatedSpdxElement = '' } of relations) {
    expect(known).toContain(spdxElementId);
    expect(known).toContain(relatedSpdxElement);
  }
  expect(relations.filter((one) => one['relationshipType'] === 'DEPENDS_ON')).toHaveLength(2);

  const [envelope] = (await read('application/vnd.dsse.envelope.v1+json')) as [
    { payload: string; payloadType: string; signatures: { sig: string }[] },
  ];
  const payload = Buffer.from(envelope.payload, 'base64');
  expect(JSON.parse(payload.toString('utf8'))).toMatchObject({
    predicateType: 'https://slsa.dev/provenance/v1',
    subject: [{ name: 'tools/tool', digest: { sha256: manifest.digest.slice(7) } }],
    predicate: { buildDefinition: { resolvedDependencies: { length: 3 } } },
  });
  const signed = Buffer.concat([
    Buffer.from(`DSSEv1 28 application/vnd.in-toto+json ${payload.length} `),
    payload,
  ]);
  const keys = parseTrustedKeys([signer.publicKeyPem]);
  const signature = Buffer.from(envelope.signatures[0]?.sig ?? '', 'base64');
  expect(keys.verify(signed, signature)).toBe(signer.keyId);

  const [index] = await read('application/vnd.tapline.file-index.v1+json');
  expect(index).toMatchObject({
    layers: [{ ...fileIndex, annotations: { 'dev.tapline.layer': layer.digest } }],
  });
  const signatures = referrers.filter(({ tag }) => tag?.endsWith('.sig') === true);
  const subjects = signatures.map(({ subject }) => subject.digest);
  expect(subjects).toContain(manifest.digest);
  expect(subjects).toContain(image.index.digest);
  expect(subjects).toHaveLength(3);
});

test('without a key nothing is signed, and equal images have equal documents', async () => {
  await using folder = await temporaryFolder();
  const store = await FileBlobStore.open(join(folder.path, 'store'));
  const options = { reference: 'tool', sbom: true, provenance: true, fileIndex: true };
  const once = await attachReferrers(store, image, options);
  expect(once.map(({ manifest: { artifactType } }) => artifactType)).toEqual([
    'application/vnd.tapline.file-index.v1+json',
    'application/spdx+json',
    'application/vnd.in-toto+json',
  ]);
  expect(await attachReferrers(store, image, options)).toEqual(once);
  expect(await attachReferrers(store, image, { reference: 'tool' })).toEqual([]);
});
