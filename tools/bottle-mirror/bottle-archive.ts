import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

import { runProgram } from '../debian/run-program.ts';

export interface BottleArchive {
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly tarSha256: string;
}

/**
 * Packs `folder`'s `member` the way `brew bottle` does: GNU tar, sorted, owner 0, pax headers
 * without times, one modification time, gzip without name and time. Same files, same bytes.
 */
export async function packBottle(
  folder: string,
  member: string,
  modifiedTime: number,
): Promise<BottleArchive> {
  const tar = `${folder}/bottle.tar`;
  await runProgram('tar', [
    '--create',
    '--sort=name',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--format=pax',
    '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
    `--mtime=@${modifiedTime}`,
    `--directory=${folder}`,
    `--file=${tar}`,
    member,
  ]);
  const tarSha256 = await fileSha256(tar);
  await runProgram('gzip', ['--no-name', '-6', tar]);
  const path = `${tar}.gz`;
  const { size } = await stat(path);
  return { path, sha256: await fileSha256(path), sizeBytes: size, tarSha256 };
}

async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
