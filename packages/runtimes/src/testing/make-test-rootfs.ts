import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const programs = ['sh', 'cat', 'sleep', 'id', 'touch', 'env', 'head', 'mount', 'unshare'];

/**
 * A small root file system for tests and benchmarks, made of this machine's own programs and the
 * libraries they load.
 */
export function makeTestRootfs(directory: string): void {
  for (const folder of ['bin', 'dev', 'etc', 'proc', 'run', 'sys', 'tmp']) {
    mkdirSync(join(directory, folder), { recursive: true, mode: 0o755 });
  }
  writeFileSync(join(directory, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n');
  for (const program of programs) {
    const path = execFileSync('which', [program], { encoding: 'utf8' }).trim();
    cpSync(realpathSync(path), join(directory, 'bin', program));
    for (const library of librariesOf(path)) {
      mkdirSync(join(directory, dirname(library)), { recursive: true });
      cpSync(realpathSync(library), join(directory, library));
    }
  }
}

function librariesOf(program: string): readonly string[] {
  const listing = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...listing.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path);
}
