import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * A file of the folder `shared/data` beside the repository, which holds what tests may read and the
 * project may not have; undefined where it is not here. A further work tree of the repository finds
 * the one beside the first; `TAPLINE_SHARED_DATA` names another.
 */
export function sharedDataFile(name: string): string | undefined {
  const named = process.env['TAPLINE_SHARED_DATA'];
  const root = join(import.meta.dirname, '../../..');
  const folders =
    named === undefined
      ? [root, mainWorkTree(root)].map((tree) => join(tree, '../shared/data'))
      : [named];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function mainWorkTree(root: string): string {
  try {
    const words = ['rev-parse', '--path-format=absolute', '--git-common-dir'];
    return dirname(execFileSync('git', words, { cwd: root, encoding: 'utf8' }).trim());
  } catch {
    // An unpacked archive has no history: there is only this tree.
    return root;
  }
}
