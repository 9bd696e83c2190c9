import {
  chmodSync,
  closeSync,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  statSync,
  type Stats,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { FileOperation } from './file-operations.ts';

/** What the machine's own file system does: a text, or the negative error number. */
export function onMachine(root: string, operation: FileOperation): string | number {
  try {
    return run(root, operation);
  } catch (error) {
    if (error instanceof Error && 'errno' in error && typeof error.errno === 'number') {
      return error.errno;
    }
    throw error;
  }
}

function run(root: string, operation: FileOperation): string {
  const at = (path: string): string => `${root}/${path}`;
  switch (operation.kind) {
    case 'mkdir':
      mkdirSync(at(operation.path), 0o750);
      return '';
    case 'rmdir':
      rmdirSync(at(operation.path));
      return '';
    case 'unlink':
      unlinkSync(at(operation.path));
      return '';
    case 'stat':
      return about(statSync(at(operation.path)));
    case 'lstat':
      return about(lstatSync(at(operation.path)));
    case 'readlink':
      return readlinkSync(at(operation.path));
    case 'list':
      return readdirSync(at(operation.path)).toSorted().join(' ');
    case 'write': {
      const file = openSync(at(operation.path), operation.flags, 0o640);
      try {
        writeSync(file, operation.text);
        return about(fstatSync(file));
      } finally {
        closeSync(file);
      }
    }
    case 'read':
      return readFileSync(at(operation.path), 'latin1');
    case 'truncate':
      truncateSync(at(operation.path), operation.size);
      return '';
    case 'chmod':
      chmodSync(at(operation.path), operation.mode);
      return '';
    case 'rename':
      renameSync(at(operation.from), at(operation.to));
      return '';
    case 'link':
      linkSync(at(operation.from), at(operation.to));
      return '';
    case 'symlink':
      symlinkSync(operation.target, at(operation.path));
      return '';
  }
}

/** What must be the same: folders' sizes are the file system's own affair. */
function about(stats: Stats): string {
  const size = stats.isDirectory() ? 0 : stats.size;
  return `${stats.mode.toString(8)} ${stats.nlink} ${size}`;
}
