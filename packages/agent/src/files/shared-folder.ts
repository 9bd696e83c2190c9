import { createHash, randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { open, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { isSystemError, TaplineError } from '@tapline/base';

/** A file that is read in parts. */
export interface SharedFile {
  readonly sizeBytes: number;
  readonly parts: AsyncIterable<Uint8Array>;
}

/** The one folder of a device whose files users may read and write. */
export interface SharedFolder {
  /** Throws `file_path_invalid`, `file_not_found`. */
  read(path: string): Promise<SharedFile>;
  /**
   * Writes a file, whole or not at all: what was there stays until it is. Answers the SHA-256 of what is
   * there now. Throws `file_path_invalid`, `file_not_found` where its folder is none, `file_too_large`,
   * `file_incomplete`.
   */
  write(
    path: string,
    file: { readonly sizeBytes: number; readonly parts: AsyncIterable<Uint8Array> },
  ): Promise<Uint8Array>;
}

const partBytes = 65_536;
const maxFileBytes = 1024 * 1024 * 1024;
const maxPathLength = 1024;

export function createSharedFolder(directory: string): SharedFolder {
  /** Where `path` is: within the folder, also where links lead. */
  async function placeOf(path: string): Promise<string> {
    const names = path.split('/');
    const isPlain = names.every((name) => name !== '' && name !== '.' && name !== '..');
    if (!isPlain || path.length > maxPathLength || path.includes('\0')) {
      throw new TaplineError(
        'file_path_invalid',
        `${JSON.stringify(path.slice(0, 64))} is no path below the shared folder`,
        { hint: 'write it as notes/today.txt' },
      );
    }
    const [root, parent] = await Promise.all([
      resolved(directory, path),
      resolved(join(directory, dirname(path)), path),
    ]);
    if (parent !== root && !parent.startsWith(root + sep)) {
      throw new TaplineError('file_path_invalid', `${path} leads out of the shared folder`);
    }
    return join(parent, basename(path));
  }

  return {
    async read(path) {
      const place = await placeOf(path);
      // A link as the last part could lead anywhere, and a pipe or a device is no file.
      const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
      const file = await found(open(place, flags), path);
      const stat = await file.stat();
      if (!stat.isFile()) {
        await file.close();
        throw new TaplineError('file_not_found', `${path} is no file`);
      }
      async function* parts(): AsyncGenerator<Uint8Array, void> {
        try {
          for (let offset = 0; offset < stat.size;) {
            const length = Math.min(partBytes, stat.size - offset);
            const { bytesRead, buffer } = await file.read(Buffer.alloc(length), {
              position: offset,
            });
            if (bytesRead === 0) {
              throw new TaplineError('file_incomplete', `${path} was cut while it was read`);
            }
            offset += bytesRead;
            yield buffer.subarray(0, bytesRead);
          }
        } finally {
          await file.close();
        }
      }
      return { sizeBytes: stat.size, parts: parts() };
    },
    async write(path, { sizeBytes, parts }) {
      if (sizeBytes > maxFileBytes) {
        throw new TaplineError('file_too_large', `${sizeBytes} bytes exceed ${maxFileBytes}`);
      }
      const place = await placeOf(path);
      const temporary = join(dirname(place), `.${randomUUID()}.part`);
      const file = await found(open(temporary, 'wx', 0o640), path);
      try {
        const hash = createHash('sha256');
        let written = 0;
        for await (const part of parts) {
          written += part.length;
          if (written > sizeBytes) break;
          hash.update(part);
          await file.writeFile(part);
        }
        if (written !== sizeBytes) {
          throw new TaplineError(
            'file_incomplete',
            `${path} came with ${written} bytes instead of ${sizeBytes}`,
          );
        }
        await file.sync();
        await file.close();
        await rename(temporary, place);
        return hash.digest();
      } catch (error) {
        await file.close();
        await rm(temporary, { force: true });
        throw error;
      }
    },
  };
}

function resolved(folder: string, path: string): Promise<string> {
  return found(realpath(folder), path);
}

async function found<T>(work: Promise<T>, path: string): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    const codes = ['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR', 'ENXIO'];
    if (codes.some((code) => isSystemError(cause, code))) {
      throw new TaplineError('file_not_found', `${path} is not there`, { cause });
    }
    throw cause;
  }
}
