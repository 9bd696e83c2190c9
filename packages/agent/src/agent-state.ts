import { closeSync, mkdirSync, openSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { TaplineError } from '@tapline/base';
import type { InstallStatus } from '@tapline/resources';
import type { InstallRecord } from './install-record.ts';
import type { AttachmentRecord } from './segments/attachment-record.ts';

/** A status that the control plane has not taken yet. */
export interface OutboxEntry {
  readonly uid: string;
  readonly name: string;
  readonly status: InstallStatus;
  /** Which status it is, so that a newer one is not taken off the outbox by an older answer. */
  readonly sequence: number;
}

/** What is known of Installs: all that the agent's core needs of its state. */
export type InstallState = Pick<
  AgentState,
  | 'records'
  | 'record'
  | 'put'
  | 'forget'
  | 'outbox'
  | 'outboxEntry'
  | 'putOutbox'
  | 'delivered'
  | 'barrier'
>;

const sqliteBusy = 5;

const schema = `
  CREATE TABLE IF NOT EXISTS install (uid TEXT PRIMARY KEY, record TEXT NOT NULL)
    STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS outbox (
    uid TEXT PRIMARY KEY, name TEXT NOT NULL, status TEXT NOT NULL, sequence INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS attachment (
    name TEXT PRIMARY KEY, sequence INTEGER NOT NULL, record TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/**
 * What the agent knows, in SQLite, so that it works after a restart, a reboot and without its
 * control plane. A write survives the end of the process; it survives the end of the power from the
 * next `barrier` on, so that no disk is waited for between an order and the start of a program.
 */
export class AgentState implements AsyncDisposable {
  readonly #database: DatabaseSync;
  readonly #log: FileHandle | undefined;
  readonly #records = new Map<string, InstallRecord>();
  /** In the order in which they were accepted. */
  readonly #attachments = new Map<string, AttachmentRecord>();
  readonly #statements: Readonly<Record<StatementName, StatementSync>>;
  #sequence: number;
  #flushing: Promise<void> | undefined;
  #nextFlush: Promise<void> | undefined;

  private constructor(database: DatabaseSync, log: FileHandle | undefined) {
    this.#database = database;
    this.#log = log;
    this.#statements = prepare(database);
    for (const row of this.#statements.installs.all()) {
      const record = JSON.parse(String(row['record'])) as InstallRecord;
      this.#records.set(record.uid, record);
    }
    for (const row of this.#statements.attachments.all()) {
      const record = JSON.parse(String(row['record'])) as AttachmentRecord;
      this.#attachments.set(record.name, record);
    }
    this.#sequence = Number(this.#statements.lastSequence.get()?.['sequence'] ?? 0);
  }

  /**
   * Opens the state in `directory`, or in memory where there is none. Throws `agent_running` where
   * another process has it open.
   */
  static async open(directory: string | undefined): Promise<AgentState> {
    if (directory === undefined) {
      const database = new DatabaseSync(':memory:');
      database.exec(schema);
      return new AgentState(database, undefined);
    }
    mkdirSync(dirname(directory), { recursive: true });
    // Others may pass through, not look: containers in user namespaces are others, and their root
    // file systems are further down. What is secret has modes of its own.
    mkdirSync(directory, { recursive: true, mode: 0o711 });
    const path = join(directory, 'agent.sqlite');
    // The key of the device is in there; SQLite gives its other files the mode of this one.
    closeSync(openSync(path, 'a', 0o600));
    const database = new DatabaseSync(path);
    try {
      database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;');
      database.exec(`PRAGMA synchronous = NORMAL; ${schema}`);
      // The first write takes the lock and makes the write-ahead log's file.
      database.exec("INSERT OR REPLACE INTO meta VALUES ('schema', '1')");
      return new AgentState(database, await open(`${path}-wal`, 'r+'));
    } catch (cause) {
      database.close();
      if (cause instanceof Error && 'errcode' in cause && cause.errcode === sqliteBusy) {
        throw new TaplineError('agent_running', `another agent has ${directory} open`, { cause });
      }
      throw cause;
    }
  }

  records(): readonly InstallRecord[] {
    return [...this.#records.values()];
  }

  record(uid: string): InstallRecord | undefined {
    return this.#records.get(uid);
  }

  put(record: InstallRecord): void {
    this.#statements.putInstall.run(record.uid, JSON.stringify(record));
    this.#records.set(record.uid, record);
  }

  /** Forgets an Install and what was to be said about it. */
  forget(uid: string): void {
    this.#statements.deleteInstall.run(uid);
    this.#statements.deleteOutbox.run(uid);
    this.#records.delete(uid);
  }

  /** In the order in which they were accepted. */
  attachments(): readonly AttachmentRecord[] {
    return [...this.#attachments.values()];
  }

  attachment(name: string): AttachmentRecord | undefined {
    return this.#attachments.get(name);
  }

  putAttachment(attachment: Omit<AttachmentRecord, 'sequence'>): void {
    const newest = [...this.#attachments.values()].at(-1)?.sequence ?? 0;
    const record = { ...attachment, sequence: newest + 1 };
    const { name, sequence } = record;
    this.#statements.putAttachment.run(name, sequence, JSON.stringify(record));
    this.#attachments.delete(name);
    this.#attachments.set(name, record);
  }

  forgetAttachment(name: string): void {
    this.#statements.deleteAttachment.run(name);
    this.#attachments.delete(name);
  }

  outbox(): readonly OutboxEntry[] {
    return this.#statements.outbox.all().map(toEntry);
  }

  outboxEntry(uid: string): OutboxEntry | undefined {
    const row = this.#statements.outboxEntry.get(uid);
    return row === undefined ? undefined : toEntry(row);
  }

  /** Replaces what was still to be said about the Install. */
  putOutbox(entry: Omit<OutboxEntry, 'sequence'>): OutboxEntry {
    this.#sequence += 1;
    const { uid, name, status } = entry;
    this.#statements.putOutbox.run(uid, name, JSON.stringify(status), this.#sequence);
    return { ...entry, sequence: this.#sequence };
  }

  /** The control plane has that status; a newer one stays. */
  delivered(entry: OutboxEntry): void {
    this.#statements.delivered.run(entry.uid, entry.sequence);
  }

  meta(key: string): unknown {
    const row = this.#statements.meta.get(key);
    return row === undefined ? undefined : (JSON.parse(String(row['value'])) as unknown);
  }

  putMeta(key: string, value: unknown): void {
    this.#statements.putMeta.run(key, JSON.stringify(value));
  }

  /**
   * Resolves when everything written before survives a loss of power. Concurrent callers share one
   * flush, and none of them blocks the event loop, which SQLite's own commit would.
   */
  async barrier(): Promise<void> {
    if (this.#flushing === undefined) {
      this.#flushing = this.#flush();
      return this.#flushing;
    }
    // What is under way may have begun before the caller's write.
    this.#nextFlush ??= this.#flushing.then(() => {
      this.#nextFlush = undefined;
      this.#flushing = this.#flush();
      return this.#flushing;
    });
    return this.#nextFlush;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#nextFlush;
    await this.#flushing;
    await this.#log?.close();
    this.#database.close();
  }

  async #flush(): Promise<void> {
    try {
      // In WAL mode all commits since the last checkpoint are in this one file, and a checkpoint
      // flushes on its own.
      await this.#log?.datasync();
    } finally {
      this.#flushing = undefined;
    }
  }
}

const statements = {
  installs: 'SELECT record FROM install',
  putInstall: 'INSERT OR REPLACE INTO install VALUES (?, ?)',
  deleteInstall: 'DELETE FROM install WHERE uid = ?',
  attachments: 'SELECT record FROM attachment ORDER BY sequence',
  putAttachment: 'INSERT OR REPLACE INTO attachment VALUES (?, ?, ?)',
  deleteAttachment: 'DELETE FROM attachment WHERE name = ?',
  outbox: 'SELECT * FROM outbox ORDER BY sequence',
  outboxEntry: 'SELECT * FROM outbox WHERE uid = ?',
  putOutbox: 'INSERT OR REPLACE INTO outbox VALUES (?, ?, ?, ?)',
  deleteOutbox: 'DELETE FROM outbox WHERE uid = ?',
  delivered: 'DELETE FROM outbox WHERE uid = ? AND sequence = ?',
  lastSequence: 'SELECT max(sequence) AS sequence FROM outbox',
  meta: 'SELECT value FROM meta WHERE key = ?',
  putMeta: 'INSERT OR REPLACE INTO meta VALUES (?, ?)',
} as const;

type StatementName = keyof typeof statements;

function prepare(database: DatabaseSync): Readonly<Record<StatementName, StatementSync>> {
  const entries = Object.entries(statements).map(([name, sql]) => [name, database.prepare(sql)]);
  return Object.fromEntries(entries) as Record<StatementName, StatementSync>;
}

function toEntry(row: Readonly<Record<string, unknown>>): OutboxEntry {
  return {
    uid: String(row['uid']),
    name: String(row['name']),
    status: JSON.parse(String(row['status'])) as InstallStatus,
    sequence: Number(row['sequence']),
  };
}
