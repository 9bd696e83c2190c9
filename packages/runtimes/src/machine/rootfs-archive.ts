import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A root file system's image, as a file that command lines of machines load. */
export interface RootfsArchive extends AsyncDisposable {
  readonly path: string;
}

/**
 * Makes an archive of an OCI image layout with one layer. Docker, Podman and Apple's container take an
 * image's name each from another annotation.
 */
export async function makeRootfsArchive(
  rootfs: string,
  about: { readonly image: string; readonly architecture: string },
): Promise<RootfsArchive> {
  const folder = await mkdtemp(join(tmpdir(), 'tapline-image-'));
  const layout = join(folder, 'layout');
  const blobs = join(layout, 'blobs', 'sha256');
  await mkdir(blobs, { recursive: true });

  const layerFile = join(folder, 'layer.tar');
  await run('tar', ['--numeric-owner', '-cf', layerFile, '-C', rootfs, '.']);
  const layerDigest = await digestOf(layerFile);
  const { size: layerSize } = await stat(layerFile);
  await rename(layerFile, join(blobs, layerDigest));

  async function blob(value: object): Promise<{ readonly digest: string; readonly size: number }> {
    const text = JSON.stringify(value);
    const hex = createHash('sha256').update(text).digest('hex');
    await writeFile(join(blobs, hex), text);
    return { digest: `sha256:${hex}`, size: Buffer.byteLength(text) };
  }
  const config = await blob({
    architecture: about.architecture,
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [`sha256:${layerDigest}`] },
  });
  const type = 'application/vnd.oci.image';
  const manifest = await blob({
    schemaVersion: 2,
    mediaType: `${type}.manifest.v1+json`,
    config: { mediaType: `${type}.config.v1+json`, ...config },
    layers: [
      { mediaType: `${type}.layer.v1.tar`, digest: `sha256:${layerDigest}`, size: layerSize },
    ],
  });
  const annotations = {
    'org.opencontainers.image.ref.name': about.image,
    'io.containerd.image.name': about.image,
    'com.apple.containerization.image.name': about.image,
  };
  const platform = { architecture: about.architecture, os: 'linux' };
  const descriptor = { mediaType: `${type}.manifest.v1+json`, ...manifest, platform, annotations };
  const index = { schemaVersion: 2, mediaType: `${type}.index.v1+json`, manifests: [descriptor] };
  await writeFile(join(layout, 'index.json'), JSON.stringify(index));
  await writeFile(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const path = join(folder, 'image.tar');
  await run('tar', ['-cf', path, '-C', layout, 'oci-layout', 'index.json', 'blobs']);
  return {
    path,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}
