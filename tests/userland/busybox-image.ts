import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Digest, TarEntry, TarMember } from '@tapline/oci';
import type { RegistryClient } from '@tapline/registry';
import { pushArm64Image } from '../support/arm64-image.ts';
import { unpackPackages } from '../elf/unpack-packages.ts';

const applets = ['sh', 'cat', 'echo', 'sleep', 'ls', 'sha256sum', 'yes', 'head', 'true', 'id'];

function entry(path: string, more: Partial<TarEntry>): TarEntry {
  const base = { kind: 'file', mode: 0o755, uid: 0, gid: 0, size: 0, mtimeSeconds: 1_700_000_000 };
  return { ...base, path, ...more } as TarEntry;
}

/** Debian's busybox for arm64 as an image `tools/busybox:1`, which says `made of two layers`. */
export async function pushBusyboxImage(client: RegistryClient, folder: string): Promise<Digest> {
  const unpacked = join(folder, 'busybox');
  mkdirSync(unpacked);
  await unpackPackages(unpacked, { architecture: 'arm64', names: ['busybox-static'] });
  const program = readFileSync(join(unpacked, 'bin/busybox'));
  const text = Buffer.from('made of two layers\n');
  const base: TarMember[] = [
    { entry: entry('bin', { kind: 'directory' }) },
    { entry: entry('tmp', { kind: 'directory', mode: 0o1777 }) },
    { entry: entry('bin/busybox', { size: program.length }), data: program },
    ...applets.map((name) => ({
      entry: entry(`bin/${name}`, { kind: 'symlink', linkTarget: 'busybox' }),
    })),
  ];
  const upper: TarMember[] = [
    { entry: entry('etc', { kind: 'directory' }) },
    { entry: entry('etc/motd', { size: text.length, mode: 0o644 }), data: text },
  ];
  return await pushArm64Image(client, {
    repository: 'tools/busybox',
    tag: '1',
    layers: [base, upper],
    config: { Cmd: ['cat', '/etc/motd'], Env: ['PATH=/bin', 'FROM=image'] },
  });
}
