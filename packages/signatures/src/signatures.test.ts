import { execFile } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Descriptor, encodeManifest, mediaTypes } from '@tapline/oci';
import {
  createRegistryClient,
  FileBlobStore,
  pushImage,
  type RegistryClient,
  type RunningRegistry,
  startRegistry,
} from '@tapline/registry';
import { haveProgram, type TemporaryFolder, temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fetchSignatures } from './fetch-signatures.ts';
import { createImageSigner, type ImageSigner, newImageKeyPem } from './image-signer.ts';
import { openImageKeys } from './open-image-keys.ts';
import { rememberSignatures } from './remember-signatures.ts';
import { type Referrer, signImage } from './sign-image.ts';
import { preAuthenticationEncoding, signStatement } from './sign-statement.ts';
import { signatureMediaTypes } from './signature-media-types.ts';
import { parseTrustedKeys } from './trusted-keys.ts';
import { verifyImage } from './verify-image.ts';
import { writeArtifact, writeBlob } from './write-artifact.ts';

const run = promisify(execFile);
const repository = 'tools/demo';
const pem = newImageKeyPem();
const signer = createImageSigner(pem, { name: 'key' });
const stranger = createImageSigner(newImageKeyPem(), { name: 'stranger' });

describe('signatures in a registry', () => {
  let folder: TemporaryFolder;
  let registry: RunningRegistry;
  let client: RegistryClient;
  let store: FileBlobStore;
  beforeAll(async () => {
    folder = await temporaryFolder();
    registry = await startRegistry({
      directory: join(folder.path, 'registry'),
      authorize: () => 'allowed',
    });
    client = createRegistryClient({ baseUrl: registry.url });
    store = await FileBlobStore.open(join(folder.path, 'store'));
  });
  afterAll(async () => {
    await client[Symbol.asyncDispose]();
    await registry[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  async function pushTestImage(content: string, tag: string): Promise<Descriptor> {
    const layer = await writeBlob(store, Buffer.from(content));
    const config = await writeBlob(
      store,
      Buffer.from('{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'),
    );
    const manifest = encodeManifest({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, ...config },
      layers: [{ mediaType: mediaTypes.ociLayerTar, ...layer }],
    });
    const stored = await writeBlob(store, manifest);
    await pushImage(client, store, { repository, digest: stored.digest, tag });
    return { mediaType: mediaTypes.ociManifest, ...stored };
  }

  async function push({ manifest, tag }: Referrer): Promise<void> {
    const { digest } = manifest;
    await pushImage(client, store, { repository, digest, ...(tag !== undefined && { tag }) });
  }

  async function sign(subject: Descriptor, by: ImageSigner): Promise<void> {
    await push(await signImage(store, { subject, reference: repository }, { signer: by }));
  }

  test('what a trusted key signed is accepted, whoever else signed it', async () => {
    const image = await pushTestImage('one', 'one');
    const trusted = parseTrustedKeys([signer.publicKeyPem]);
    const look = () => fetchSignatures(client, { repository, digest: image.digest });
    expect(() => verifyImage(image.digest, [], parseTrustedKeys([]))).toThrow(
      expect.objectContaining({ code: 'signing_keys_unknown' }),
    );
    const none = await look();
    expect(() => verifyImage(image.digest, none, trusted)).toThrow(
      expect.objectContaining({ code: 'signature_missing' }),
    );
    await sign(image, stranger);
    const foreign = await look();
    expect(() => verifyImage(image.digest, foreign, trusted)).toThrow(
      expect.objectContaining({ code: 'signature_invalid' }),
    );
    await sign(image, signer);
    const both = await look();
    expect(both).toHaveLength(2);
    expect(verifyImage(image.digest, both, trusted)).toHaveLength(1);
    const rotated = parseTrustedKeys([stranger.publicKeyPem, signer.publicKeyPem]);
    expect(verifyImage(image.digest, both, rotated)).toHaveLength(2);
  });

  test('a signature of one image is none of another, and a byte more or less breaks it', async () => {
    const first = await pushTestImage('two', 'two');
    const second = await pushTestImage('three', 'three');
    await sign(first, signer);
    const signatures = await fetchSignatures(client, { repository, digest: first.digest });
    const trusted = parseTrustedKeys([signer.publicKeyPem]);
    const invalid = expect.objectContaining({ code: 'signature_invalid' });
    expect(() => verifyImage(second.digest, signatures, trusted)).toThrow(invalid);
    const forged = signatures.map(({ payload, signature }) => ({
      payload: Buffer.from(
        Buffer.from(payload, 'base64').toString().replace(first.digest, second.digest),
      ).toString('base64'),
      signature,
    }));
    expect(() => verifyImage(second.digest, forged, trusted)).toThrow(invalid);
    const cut = signatures.map((one) => ({ ...one, signature: one.signature.slice(0, -8) }));
    expect(() => verifyImage(first.digest, cut, trusted)).toThrow(invalid);
  });

  const cosign = 'cosign';
  const noCosign = haveProgram(cosign) ? '' : '(skipped: no cosign)';
  test.skipIf(noCosign !== '')(
    `cosign verifies what is signed here, and its signatures are verified here ${noCosign}`,
    { timeout: 60_000 },
    async () => {
      const image = await pushTestImage('four', 'four');
      await sign(image, signer);
      const keyFile = join(folder.path, 'key.pub');
      await writeFile(keyFile, signer.publicKeyPem);
      const reference = `${new URL(registry.url).host}/${repository}@${image.digest}`;
      const env = { ...process.env, HOME: folder.path, COSIGN_PASSWORD: '' };
      const flags = ['--insecure-ignore-tlog=true', '--allow-http-registry'];
      const verify = (...more: readonly string[]) =>
        run(cosign, ['verify', '--key', keyFile, ...flags, ...more, reference], { env });
      expect((await verify()).stdout).toContain(image.digest);
      await writeFile(keyFile, stranger.publicKeyPem);
      await expect(verify()).rejects.toThrow(/signature|verify/);

      const statement = Buffer.from(
        JSON.stringify({
          _type: 'https://in-toto.io/Statement/v1',
          subject: [{ name: repository, digest: { sha256: image.digest.slice(7) } }],
          predicateType: 'https://slsa.dev/provenance/v1',
          predicate: { buildDefinition: {}, runDetails: {} },
        }),
      );
      const envelope = await writeBlob(store, signStatement(statement, signer));
      const manifest = await writeArtifact(store, {
        artifactType: signatureMediaTypes.envelope,
        subject: image,
        layers: [
          {
            mediaType: signatureMediaTypes.envelope,
            ...envelope,
            annotations: {
              predicateType: 'https://slsa.dev/provenance/v1',
              [signatureMediaTypes.signatureAnnotation]: '',
            },
          },
        ],
      });
      const tag = `${image.digest.replace(':', '-')}.att`;
      await push({ manifest, subject: image, tag });
      await writeFile(keyFile, signer.publicKeyPem);
      const attested = await run(
        cosign,
        ['verify-attestation', '--key', keyFile, ...flags, '--type', 'slsaprovenance1', reference],
        { env },
      );
      expect(attested.stdout).toContain('payload');

      const other = await pushTestImage('five', 'five');
      const target = `${new URL(registry.url).host}/${repository}@${other.digest}`;
      const theirs = join(folder.path, 'theirs');
      await mkdir(theirs);
      await run(cosign, ['generate-key-pair'], { cwd: theirs, env });
      await run(
        cosign,
        [
          'sign',
          '--key',
          join(theirs, 'cosign.key'),
          '--tlog-upload=false',
          '--yes',
          '--allow-http-registry',
          target,
        ],
        { env },
      );
      const found = await fetchSignatures(client, { repository, digest: other.digest });
      const keys = parseTrustedKeys([await readFile(join(theirs, 'cosign.pub'), 'utf8')]);
      expect(verifyImage(other.digest, found, keys)).toHaveLength(1);
    },
  );
});

test('an envelope signs type and length with its body', () => {
  expect(
    Buffer.from(
      preAuthenticationEncoding('http://example.com/HelloWorld', Buffer.from('hello world')),
    ).toString(),
  ).toBe(
    // The example of the specification.
    'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
  );
});

test('keys are made once with mode 0600; an old one stays trusted until it is taken away', async () => {
  await using folder = await temporaryFolder();
  const first = await openImageKeys(folder.path);
  expect((await stat(join(folder.path, 'key.pem'))).mode & 0o777).toBe(0o600);
  expect((await openImageKeys(folder.path)).signer.keyId).toBe(first.signer.keyId);
  await rm(join(folder.path, 'key.pem'));
  const second = await openImageKeys(folder.path);
  expect(second.signer.keyId).not.toBe(first.signer.keyId);
  expect(second.trusted.ids).toEqual([first.signer.keyId, second.signer.keyId].toSorted());
  await rm(join(folder.path, 'trusted', `${first.signer.keyId}.pem`));
  expect((await openImageKeys(folder.path)).trusted.ids).toEqual([second.signer.keyId]);
  await writeFile(join(folder.path, 'trusted', 'bad.pem'), pem);
  await expect(openImageKeys(folder.path)).rejects.toMatchObject({
    code: 'signing_key_invalid',
    message: expect.stringContaining('bad.pem'),
  });
});

test('keys that are none are refused', () => {
  for (const text of ['', 'x', signer.publicKeyPem]) {
    expect(() => createImageSigner(text, { name: 'k' })).toThrow(/k is no private key/);
  }
  expect(() => parseTrustedKeys(Array.from({ length: 65 }, () => signer.publicKeyPem))).toThrow(
    /65/,
  );
});

test('a signature that was made before is given again', async () => {
  await using folder = await temporaryFolder();
  await chmod(folder.path, 0o700);
  const remembered = rememberSignatures(signer, { directory: join(folder.path, 'made') });
  const bytes = Buffer.from('content');
  const made = remembered.sign(bytes);
  expect(Buffer.from(remembered.sign(bytes)).equals(made)).toBe(true);
  expect(parseTrustedKeys([signer.publicKeyPem]).verify(bytes, made)).toBe(signer.keyId);
  expect(await readdir(join(folder.path, 'made'))).toHaveLength(1);
  expect(Buffer.from(remembered.sign(Buffer.from('other'))).equals(made)).toBe(false);
});
