import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { mediaTypes, parseDigest } from '@tapline/oci';
import { FileBlobStore, pushImage, type RegistryClient } from '@tapline/registry';
import type { InstallImage } from '@tapline/resources';
import { type ImageSigner, signImage } from '@tapline/signatures';
import { temporaryFolder } from '@tapline/testing';
import { testSigner } from './test-signer.ts';

const programs = ['sh', 'sleep', 'cat', 'echo'];

/** Makes small images of this machine's own programs, and pushes them. */
export interface TestImages {
  /** An image whose main program is the shell script `tool`. */
  push(
    name: string,
    tool: string,
    options?: { readonly signer?: ImageSigner | 'none' },
  ): Promise<InstallImage>;
}

export function createTestImages(folder: string, registry: RegistryClient): TestImages {
  const base = gzipSync(makeBase(join(folder, 'base')), { level: 1 });

  return {
    async push(name, tool, { signer = testSigner } = {}) {
      const top = gzipSync(makeTop(join(folder, name), tool));
      const layers = [base, top];
      const config = Buffer.from(
        JSON.stringify({
          architecture: process.arch === 'x64' ? 'amd64' : process.arch,
          os: 'linux',
          config: { Env: ['PATH=/opt/bin:/bin', `NAME=${name}`], WorkingDir: '/' },
          rootfs: { type: 'layers', diff_ids: layers.map((layer) => digestOf(unzip(layer))) },
        }),
      );
      const manifest = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType: mediaTypes.ociManifest,
          config: descriptor(mediaTypes.ociConfig, config),
          layers: layers.map((layer) => descriptor(mediaTypes.ociLayerTarGzip, layer)),
        }),
      );
      for (const blob of [...layers, config]) {
        await registry.pushBlob('formulae/tool', {
          digest: parseDigest(digestOf(blob)),
          size: blob.length,
          open: () => once(blob),
        });
      }
      const digest = digestOf(manifest);
      await registry.pushManifest('formulae/tool', {
        reference: digest,
        mediaType: mediaTypes.ociManifest,
        bytes: manifest,
      });
      if (signer !== 'none') await pushSignature(registry, { manifest, signer });
      return {
        repository: 'formulae/tool',
        digest,
        platform: 'linux/amd64',
        sizeBytes: layers.reduce((total, layer) => total + layer.length, 0),
        unpackedBytes: layers.reduce((total, layer) => total + unzip(layer).length, 0),
        main: '/opt/bin/tool',
      };
    },
  };
}

/** As `signImage` does it, over the wire. */
async function pushSignature(
  registry: RegistryClient,
  signed: { readonly manifest: Uint8Array; readonly signer: ImageSigner },
): Promise<void> {
  await using folder = await temporaryFolder();
  const store = await FileBlobStore.open(folder.path);
  const subject = {
    mediaType: mediaTypes.ociManifest,
    digest: parseDigest(digestOf(signed.manifest)),
    size: signed.manifest.length,
  };
  const made = await signImage(store, { subject, reference: 'formulae/tool' }, signed);
  const { digest } = made.manifest;
  await pushImage(registry, store, { repository: 'formulae/tool', digest });
}

function makeBase(root: string): Buffer {
  for (const path of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp']) {
    mkdirSync(join(root, path), { recursive: true });
  }
  for (const program of programs) {
    const path = execFileSync('which', [program], { encoding: 'utf8' }).trim();
    cpSync(realpathSync(path), join(root, 'bin', program));
    const listing = execFileSync('ldd', [path], { encoding: 'utf8' });
    for (const [, library = ''] of listing.matchAll(/(\/\S+) \(0x/g)) {
      mkdirSync(join(root, dirname(library)), { recursive: true });
      cpSync(realpathSync(library), join(root, library));
    }
  }
  return tarOf(root);
}

function makeTop(root: string, tool: string): Buffer {
  mkdirSync(join(root, 'opt/bin'), { recursive: true });
  writeFileSync(join(root, 'opt/bin/tool'), `#!/bin/sh\n${tool}\n`);
  chmodSync(join(root, 'opt/bin/tool'), 0o755);
  return tarOf(root);
}

function tarOf(root: string): Buffer {
  return execFileSync('tar', ['-C', root, '--sort=name', '--mtime=@0', '--owner=0', '-c', '.'], {
    maxBuffer: 256 * 1024 * 1024,
  });
}

function unzip(layer: Uint8Array): Buffer {
  return execFileSync('gzip', ['-dc'], { input: layer, maxBuffer: 256 * 1024 * 1024 });
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function descriptor(mediaType: string, bytes: Uint8Array): Record<string, unknown> {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  yield bytes;
}
