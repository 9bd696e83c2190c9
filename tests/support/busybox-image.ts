import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Digest, encodeManifest, mediaTypes, parseDigest } from '@tapline/oci';
import type { RegistryClient } from '@tapline/registry';
import { temporaryFolder } from '@tapline/testing';

/**
 * Pushes an image as somebody else makes them: this machine's busybox, a file to serve, and a program of
 * its own that is started where nothing else is said. It listens at port 8080 of its loopback interface.
 */
export async function pushBusyboxImage(
  client: RegistryClient,
  image: {
    readonly repository: string;
    readonly tag: string;
    readonly page: string;
    /** What it starts; a web server unless given. */
    readonly command?: string;
  },
): Promise<void> {
  await using folder = await temporaryFolder();
  const root = join(folder.path, 'root');
  for (const path of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp', 'www']) {
    mkdirSync(join(root, path), { recursive: true });
  }
  const program = execFileSync('which', ['busybox'], { encoding: 'utf8' }).trim();
  cpSync(realpathSync(program), join(root, 'bin/busybox'));
  const listing = execFileSync('ldd', [program], { encoding: 'utf8' });
  for (const [, library = ''] of listing.matchAll(/(\/\S+) \(0x/g)) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    cpSync(realpathSync(library), join(root, library));
  }
  writeFileSync(join(root, 'www/index.html'), image.page);
  const words = ['-C', root, '--sort=name', '--mtime=@0', '--owner=0', '--group=0', '-c', '.'];
  const tar = execFileSync('tar', words, { maxBuffer: 64 * 1024 * 1024 });
  const layer = await put(gzipSync(tar, { level: 1 }), mediaTypes.ociLayerTarGzip);
  // The first process of a container hears no SIGTERM that it has no handler for.
  const { command = '/bin/busybox httpd -f -p 127.0.0.1:8080 -h /www' } = image;
  const script = `trap 'exit 0' TERM; ${command} & wait`;
  const config = {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Entrypoint: ['/bin/busybox'], Cmd: ['sh', '-c', script], User: '65534' },
    rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
  };
  const mediaType = mediaTypes.ociManifest;
  const bytes = encodeManifest({
    schemaVersion: 2,
    mediaType,
    config: await put(Buffer.from(JSON.stringify(config)), mediaTypes.ociConfig),
    layers: [layer],
  });
  await client.pushManifest(image.repository, { reference: image.tag, mediaType, bytes });

  async function put(content: Uint8Array, type: string) {
    const blob = { digest: digestOf(content), size: content.length, mediaType: type };
    async function* open(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(content);
    }
    await client.pushBlob(image.repository, { ...blob, open });
    return blob;
  }
}

function digestOf(bytes: Uint8Array): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
}
