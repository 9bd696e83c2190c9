import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

import type { Bottle } from './bottle.ts';
import type { HostileEntry } from './fault.ts';

const blockSize = 512;

/** A bottle like `bottle` with a hostile entry at its end; its digests are those of the result. */
export async function hostileBottle(
  bottle: Bottle,
  entry: HostileEntry,
  folder: string,
): Promise<Bottle> {
  const tar = gunzipSync(await readFile(bottle.path));
  const hostile = hostileTar(tar, `${bottle.formula}/${bottle.pkgVersion}`, entry);
  const archive = gzipSync(hostile);
  const sha256 = createHash('sha256').update(archive).digest('hex');
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${sha256}.tar.gz`);
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, archive);
  await rename(temporary, path);
  const tarSha256 = createHash('sha256').update(hostile).digest('hex');
  return { ...bottle, path, sha256, tarSha256, sizeBytes: archive.length };
}

function hostileTar(tar: Buffer, keg: string, entry: HostileEntry): Buffer {
  // The end is the first header of zeros: file content may end in zeros too.
  let end = 0;
  while (tar[end] !== undefined && tar[end] !== 0) {
    const size = Number.parseInt(tar.toString('latin1', end + 124, end + 135), 8);
    end += blockSize + Math.ceil(size / blockSize) * blockSize;
  }
  const body = Buffer.alloc(blockSize, 0x78);
  const entries: Readonly<Record<HostileEntry, readonly Buffer[]>> = {
    'path-traversal': [header(`${keg}/../../../../escaped`, '0', blockSize), body],
    'device-node': [header(`${keg}/device`, '3', 0)],
    'huge-size': [header(`${keg}/huge`, '0', 0o77777777777), body],
    'symlink-escape': [
      header(`${keg}/outside`, '2', 0, '../../../../tmp'),
      header(`${keg}/outside/escaped`, '0', blockSize),
      body,
    ],
  };
  return Buffer.concat([tar.subarray(0, end), ...entries[entry], Buffer.alloc(2 * blockSize)]);
}

/** A ustar header (POSIX.1-2017 pax, "ustar Interchange Format"). */
function header(name: string, type: string, size: number, link = ''): Buffer {
  const block = Buffer.alloc(blockSize);
  block.write(name, 0);
  block.write('0000644\0', 100);
  block.write('0000000\0', 108);
  block.write('0000000\0', 116);
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  block.write('00000000000\0', 136);
  block.write('        ', 148);
  block.write(type, 156);
  block.write(link, 157);
  block.write('ustar\0', 257);
  block.write('00', 263);
  // 1:3 is /dev/null's device number.
  if (type === '3') {
    block.write('0000001\0', 329);
    block.write('0000003\0', 337);
  }
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
