import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isSystemError } from '@tapline/base';
import {
  isCodeNameOfThis,
  type LayerDirectory,
  nodeAt,
  openStoredCode,
  type StoredCode,
  storedCodeName,
} from '@tapline/userland';

const digestSize = 32;
/** More than this of one program is not kept; and of all the oldest go beyond that. */
const largest = 64 * 1024 * 1024;
const largestFolder = 512 * 1024 * 1024;

export interface KeptCode extends StoredCode {
  /** Keeps what has come to it. */
  keep(): Promise<void>;
}

/** Translated code of a program in a folder of this user's, by the digest of the program's file. */
export async function openKeptCode(
  folder: string,
  program: { readonly files: LayerDirectory; readonly path: string },
): Promise<KeptCode> {
  const node = nodeAt(program.files, program.path);
  const bytes = node?.kind === 'file' ? node.load() : new Uint8Array(0);
  const path = join(folder, storedCodeName(sha256(bytes).toString('hex')));
  const code = openStoredCode(await readKept(path));
  return {
    ...code,
    async keep() {
      const encoded = code.encode();
      if (encoded === undefined || encoded.length > largest) return;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const partial = `${path}.${randomUUID()}`;
      await writeFile(partial, Buffer.concat([sha256(encoded), encoded]), { mode: 0o600 });
      await rename(partial, path);
      await removeOldest(folder);
    },
  };
}

/** What is kept under a name of `storedCodeName`; nothing for any other. */
export async function readKeptCode(
  folder: string,
  name: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return isCodeNameOfThis(name) && /^[\w-]+$/.test(name)
    ? await readKept(join(folder, name))
    : undefined;
}

/** What the disk has changed is as good as not there. */
async function readKept(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const whole = new Uint8Array(await readFile(path));
    const code = whole.subarray(digestSize);
    return sha256(code).equals(whole.subarray(0, digestSize)) ? code.slice() : undefined;
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function removeOldest(folder: string): Promise<void> {
  // A page's key may be beside it.
  const names = (await readdir(folder)).filter((name) => name.startsWith('a64-'));
  const paths = names.map((name) => join(folder, name));
  const kept = await Promise.all(
    paths.map(async (path) => {
      const found = await stat(path).catch(() => undefined);
      return { path, size: found?.size ?? 0, usedMs: found?.mtimeMs ?? 0 };
    }),
  );
  let left = kept.reduce((sum, { size }) => sum + size, 0);
  for (const { path, size } of kept.toSorted((a, b) => a.usedMs - b.usedMs)) {
    if (left <= largestFolder) return;
    await rm(path, { force: true });
    left -= size;
  }
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
