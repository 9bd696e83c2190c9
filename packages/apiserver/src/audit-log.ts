import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { TaplineError } from '@tapline/base';
import type { AuditEntry, AuditSink } from './audit-entry.ts';

export interface AuditLogOptions {
  /** JSON lines are appended here; the file is made with mode 0600. */
  readonly path: string;
  /** A file of this size is moved to `<path>.1`, that one to `<path>.2`, …; 100 MiB where absent. */
  readonly maxBytes?: number;
  /** How many moved files stay; 10 where absent. */
  readonly keep?: number;
}

/** An audit log in a file. */
export interface AuditLog extends AuditSink, Disposable {}

/**
 * Opens the log. Lines of one turn of the event loop go to the kernel together, with one write(2):
 * from then on the end of the process cannot lose them. What a full disk did not take is kept, and
 * goes ahead of the next lines.
 */
export function openAuditLog(options: AuditLogOptions): AuditLog {
  return new FileAuditLog(options);
}

class FileAuditLog implements AuditLog {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #keep: number;
  #file: number;
  #size: number;
  #lines: string[] = [];
  /** What an earlier write left over. */
  #rest = Buffer.alloc(0);
  #writing: Promise<void> | undefined;

  constructor({ path, maxBytes = 100 * 1024 * 1024, keep = 10 }: AuditLogOptions) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#keep = keep;
    [this.#file, this.#size] = open(path);
    // What a full disk or the end of the machine cut in half stays a line of its own.
    if (this.#size > 0 && !endsWithLine(path, this.#size)) this.#lines.push('\n');
  }

  record(entry: AuditEntry): void {
    this.#lines.push(`${JSON.stringify(entry)}\n`);
  }

  written(): Promise<void> {
    if (!this.#isBehind()) return this.#writing ?? Promise.resolve();
    // After the microtasks of this turn, so that requests answered together are written together.
    this.#writing ??= new Promise((resolve, reject) => {
      process.nextTick(() => {
        this.#writing = undefined;
        try {
          this.#write();
          resolve();
        } catch (cause) {
          reject(
            new TaplineError('unavailable', `cannot write the audit log ${this.#path}`, { cause }),
          );
        }
      });
    });
    return this.#writing;
  }

  [Symbol.dispose](): void {
    if (this.#isBehind()) this.#write();
    closeSync(this.#file);
  }

  #isBehind(): boolean {
    return this.#lines.length > 0 || this.#rest.length > 0;
  }

  #write(): void {
    const isWhole = this.#rest.length === 0;
    this.#rest = Buffer.concat([this.#rest, Buffer.from(this.#lines.join(''))]);
    this.#lines = [];
    const { length } = this.#rest;
    // Never between the halves of a line.
    if (isWhole && this.#size > 0 && this.#size + length > this.#maxBytes) this.#rotate();
    while (this.#rest.length > 0) {
      const written = writeSync(this.#file, this.#rest);
      this.#rest = this.#rest.subarray(written);
      this.#size += written;
    }
  }

  #rotate(): void {
    rmSync(`${this.#path}.${this.#keep}`, { force: true });
    for (let number = this.#keep - 1; number >= 0; number -= 1) {
      const from = number === 0 ? this.#path : `${this.#path}.${number}`;
      if (existsSync(from)) renameSync(from, `${this.#path}.${number + 1}`);
    }
    const full = this.#file;
    [this.#file, this.#size] = open(this.#path);
    closeSync(full);
  }
}

function open(path: string): [file: number, size: number] {
  const file = openSync(path, 'a', 0o600);
  const { size } = fstatSync(file);
  return [file, size];
}

function endsWithLine(path: string, size: number): boolean {
  const file = openSync(path, 'r');
  try {
    const last = Buffer.alloc(1);
    return readSync(file, last, 0, 1, size - 1) === 1 && last.toString() === '\n';
  } finally {
    closeSync(file);
  }
}
