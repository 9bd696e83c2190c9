import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import type { AuditEntry } from './audit-entry.ts';

/** The writes that the end of an audit log tells of. */
export interface RecentAudit {
  /** resourceVersions that writes led to. */
  readonly written: ReadonlySet<number>;
  /** All writes after this revision that have an entry are in `written`. */
  readonly since: number;
}

/** More than all writes that can be under way at one moment. */
const tailBytes = 2 * 1024 * 1024;

/** Reads the end of the log at `path`, and of the file it was rotated to where it is short. */
export function readRecentAudit(path: string): RecentAudit {
  const own = readTail(path, tailBytes);
  const older = own.isWhole
    ? readTail(`${path}.1`, tailBytes - own.text.length)
    : { text: '', isWhole: false };
  const isWhole = own.isWhole && older.isWhole && !existsSync(`${path}.2`);
  const lines = `${older.text}${own.text}`.split('\n');
  // Where the text was cut, its first line is half of one.
  const revisions = lines.slice(isWhole ? 0 : 1).flatMap(revisionOf);
  // Entries stand nearly in the order of their revisions: what is lower than all of the older half
  // may have stood before the cut.
  const half = revisions.slice(0, Math.ceil(revisions.length / 2));
  return {
    written: new Set(revisions),
    since: isWhole ? 0 : half.reduce((highest, one) => Math.max(highest, one), 0),
  };
}

function revisionOf(line: string): readonly number[] {
  if (line === '') return [];
  try {
    const { after } = JSON.parse(line) as Partial<AuditEntry>;
    return after === undefined ? [] : [Number(after)];
  } catch {
    // Half a line that a full disk or the end of the machine left; what it told of is recorded again.
    return [];
  }
}

function readTail(
  path: string,
  bytes: number,
): { readonly text: string; readonly isWhole: boolean } {
  if (!existsSync(path)) return { text: '', isWhole: true };
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const length = Math.min(size, Math.max(bytes, 0));
    const buffer = Buffer.alloc(length);
    const read = readSync(file, buffer, 0, length, size - length);
    return { text: buffer.toString('utf8', 0, read), isWhole: length === size };
  } finally {
    closeSync(file);
  }
}
