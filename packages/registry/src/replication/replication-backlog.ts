import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Something to do for a policy. */
export interface ReplicationTask {
  readonly id: number;
  readonly policy: string;
  /** A tag to copy or to delete; a digest of what may refer to an image that was copied. */
  readonly kind: 'copy' | 'referrer' | 'delete';
  readonly repository: string;
  readonly reference: string;
  readonly attempts: number;
}

export interface PolicyBacklog {
  readonly waiting: number;
  readonly running: number;
  /** Tags that were copied and are at the destination. */
  readonly done: number;
  readonly lastError: string | undefined;
  readonly lastRunMs: number | undefined;
}

const schema = `
  CREATE TABLE IF NOT EXISTS task (
    id INTEGER PRIMARY KEY, policy TEXT NOT NULL, repository TEXT NOT NULL, reference TEXT NOT NULL,
    kind TEXT NOT NULL, state TEXT NOT NULL DEFAULT 'waiting', again INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL, error TEXT,
    UNIQUE (policy, repository, reference)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS task_due ON task (state, due);
  CREATE TABLE IF NOT EXISTS copied (
    policy TEXT NOT NULL, repository TEXT NOT NULL, tag TEXT NOT NULL, digest TEXT NOT NULL,
    PRIMARY KEY (policy, repository, tag)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS round (policy TEXT PRIMARY KEY, started INTEGER NOT NULL) STRICT;
`;

/**
 * What is left to replicate, in SQLite: what was taken up is done, whatever ends the process. The
 * same thing stands here once, however often it was asked for.
 */
export class ReplicationBacklog implements Disposable {
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof prepareStatements>;

  constructor(directory: string) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#database = new DatabaseSync(join(directory, 'replication.sqlite'));
    this.#database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    this.#database.exec(schema);
    // What was under way when the process ended is done again; that is harmless.
    this.#database.exec(`UPDATE task SET state = 'waiting', again = 0 WHERE state = 'running'`);
    this.#statements = prepareStatements(this.#database);
  }

  /** Takes tasks up; durable when it returns. One that is under way is done once more after it. */
  add(tasks: readonly Omit<ReplicationTask, 'id' | 'attempts'>[], dueMs: number): void {
    if (tasks.length === 0) return;
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const { policy, repository, reference, kind } of tasks) {
        this.#statements.add.run(policy, repository, reference, kind, Math.floor(dueMs));
      }
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  /** The task that has been due for longest; from now on it is under way. */
  take(nowMs: number): ReplicationTask | undefined {
    const row = this.#statements.take.get(Math.floor(nowMs));
    return row && (row as unknown as ReplicationTask);
  }

  /** When the next waiting task is due. */
  nextDueMs(): number | undefined {
    const due = this.#statements.nextDue.get()?.['due'];
    return due === null || due === undefined ? undefined : Number(due);
  }

  finish(task: ReplicationTask, nowMs: number): void {
    // Where it was asked for meanwhile, it is not finished.
    if (this.#statements.again.run(Math.floor(nowMs), task.id).changes > 0) return;
    this.#statements.finish.run(task.id);
  }

  retry(task: ReplicationTask, failure: { readonly error: string; readonly dueMs: number }): void {
    const { error, dueMs } = failure;
    this.#statements.retry.run(error.slice(0, 1000), Math.floor(dueMs), task.id);
  }

  /** A tag is at the destination as it was at the source. */
  copied(policy: string, repository: string, tag: string, digest: string): void {
    this.#statements.copied.run(policy, repository, tag, digest);
  }

  deleted(policy: string, repository: string, tag: string): void {
    this.#statements.deleted.run(policy, repository, tag);
  }

  /** What was copied of a policy, as `repository` and `tag`. */
  copiedTags(policy: string): readonly { readonly repository: string; readonly tag: string }[] {
    return this.#statements.copiedTags
      .all(policy)
      .map((row) => ({ repository: String(row['repository']), tag: String(row['tag']) }));
  }

  /** The tags of a repository that were copied while they stood for a digest. */
  copiedAs(policy: string, repository: string, digest: string): readonly string[] {
    return this.#statements.copiedAs
      .all(policy, repository, digest)
      .map((row) => String(row['tag']));
  }

  isCopied(policy: string, repository: string, tag: string): boolean {
    return this.#statements.isCopied.get(policy, repository, tag) !== undefined;
  }

  /** When a policy's last round began, for those that have a schedule. */
  lastRoundMs(policy: string): number | undefined {
    const started = this.#statements.lastRound.get(policy)?.['started'];
    return started === undefined ? undefined : Number(started);
  }

  roundStarted(policy: string, nowMs: number): void {
    this.#statements.roundStarted.run(policy, Math.floor(nowMs));
  }

  summary(policy: string): PolicyBacklog {
    const counts = this.#statements.counts.get({ policy }) ?? {};
    const error = this.#statements.lastError.get(policy)?.['error'];
    return {
      waiting: Number(counts['waiting']),
      running: Number(counts['running']),
      done: Number(counts['done']),
      lastError: typeof error === 'string' ? error : undefined,
      lastRunMs: this.lastRoundMs(policy),
    };
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }
}

function prepareStatements(database: DatabaseSync) {
  const prepare = (sql: string): ReturnType<DatabaseSync['prepare']> => database.prepare(sql);
  return {
    add: prepare(`INSERT INTO task (policy, repository, reference, kind, due) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (policy, repository, reference) DO UPDATE SET kind = excluded.kind,
        due = excluded.due, attempts = 0, again = (state = 'running')`),
    take: prepare(`UPDATE task SET state = 'running', again = 0 WHERE id = (
        SELECT id FROM task WHERE state = 'waiting' AND due <= ? ORDER BY due, id LIMIT 1)
      RETURNING id, policy, kind, repository, reference, attempts`),
    nextDue: prepare(`SELECT MIN(due) AS due FROM task WHERE state = 'waiting'`),
    again: prepare(
      `UPDATE task SET state = 'waiting', again = 0, due = ? WHERE id = ? AND again = 1`,
    ),
    finish: prepare('DELETE FROM task WHERE id = ?'),
    retry: prepare(`UPDATE task SET state = 'waiting', again = 0, attempts = attempts + 1,
      error = ?, due = ? WHERE id = ?`),
    copied: prepare('INSERT OR REPLACE INTO copied VALUES (?, ?, ?, ?)'),
    deleted: prepare('DELETE FROM copied WHERE policy = ? AND repository = ? AND tag = ?'),
    copiedTags: prepare('SELECT repository, tag FROM copied WHERE policy = ?'),
    copiedAs: prepare('SELECT tag FROM copied WHERE policy = ? AND repository = ? AND digest = ?'),
    isCopied: prepare('SELECT 1 FROM copied WHERE policy = ? AND repository = ? AND tag = ?'),
    lastRound: prepare('SELECT started FROM round WHERE policy = ?'),
    roundStarted: prepare('INSERT OR REPLACE INTO round VALUES (?, ?)'),
    counts: prepare(`SELECT
      (SELECT COUNT(*) FROM task WHERE policy = :policy AND state = 'waiting') AS waiting,
      (SELECT COUNT(*) FROM task WHERE policy = :policy AND state = 'running') AS running,
      (SELECT COUNT(*) FROM copied WHERE policy = :policy) AS done`),
    lastError: prepare(
      'SELECT error FROM task WHERE policy = ? AND error IS NOT NULL ORDER BY due DESC LIMIT 1',
    ),
  };
}
