import { createHash, type Hash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isSystemError } from '@tapline/base';

/**
 * A download that outlives its process. It is a file `<name>.<pid>.<id>.part` of the process that
 * writes it; one whose process is gone is taken over with what it has.
 */
export class PartialFile implements AsyncDisposable {
  readonly #target: string;
  readonly #file: FileHandle;
  readonly #path: string;
  #hash: Hash;
  #size: number;
  #open = true;

  private constructor(init: {
    readonly target: string;
    readonly path: string;
    readonly file: FileHandle;
    readonly hash: Hash;
    readonly size: number;
  }) {
    this.#target = init.target;
    this.#path = init.path;
    this.#file = init.file;
    this.#hash = init.hash;
    this.#size = init.size;
  }

  /** Continues an abandoned download of `target`, or starts one. */
  static async open(target: string): Promise<PartialFile> {
    await mkdir(dirname(target), { recursive: true });
    const path = `${target}.${process.pid}.${randomUUID()}.part`;
    await takeOver(target, path);
    const file = await open(path, 'a');
    const hash = createHash('sha256');
    let size = 0;
    for await (const chunk of createReadStream(path)) {
      hash.update(chunk as Buffer);
      size += (chunk as Buffer).length;
    }
    return new PartialFile({ target, path, file, hash, size });
  }

  /** Bytes received so far. */
  get size(): number {
    return this.#size;
  }

  async write(chunk: Uint8Array): Promise<void> {
    for (let offset = 0; offset < chunk.length;) {
      offset += (await this.#file.write(chunk, offset)).bytesWritten;
    }
    this.#hash.update(chunk);
    this.#size += chunk.length;
  }

  /** The sha256 of what is there, in hexadecimal. */
  hex(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Starts over: the server has other bytes or does not resume. */
  async restart(): Promise<void> {
    await this.#file.truncate(0);
    this.#hash = createHash('sha256');
    this.#size = 0;
  }

  /** Makes it durable under its name. */
  async finish(): Promise<void> {
    await this.#file.sync();
    await rename(this.#path, this.#target);
    await this.#close();
  }

  async discard(): Promise<void> {
    await this.#close();
    await rm(this.#path, { force: true });
  }

  /** What was received stays, for the next one to continue. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return;
    await this.#close();
    if (this.#size === 0) await rm(this.#path, { force: true });
    // No process has the number 0.
    else await rename(this.#path, `${this.#target}.0.${randomUUID()}.part`);
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#file.close();
  }
}

/** Renames an abandoned part of `target` to `path`; of two that try, one succeeds. */
async function takeOver(target: string, path: string): Promise<void> {
  const directory = dirname(target);
  for (const name of await readdir(directory)) {
    const part = join(directory, name);
    if (!part.startsWith(`${target}.`) || !part.endsWith('.part')) continue;
    const pid = Number(part.slice(target.length + 1).split('.')[0]);
    if (isRunning(pid)) continue;
    try {
      await rename(part, path);
      return;
    } catch (error) {
      if (!isSystemError(error, 'ENOENT')) throw error;
    }
  }
}

function isRunning(pid: number): boolean {
  if (pid === 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's process may not be signalled, but it is there.
    return isSystemError(error, 'EPERM');
  }
}
