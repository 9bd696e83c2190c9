import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { unpackPackages } from '../../elf/unpack-packages.ts';
import { unpackSource } from './debian-source.ts';
import type { SelfTest } from './self-test.ts';

/** For programs that tests use. */
export const crossCompiler = 'aarch64-linux-gnu-gcc';

/** Makes `root` a system with the program and its tests; answers the tests' names. */
export async function prepareSelfTest(
  root: string,
  { name, source, parts, helpers = [], packages, tests }: SelfTest,
): Promise<readonly string[]> {
  await unpackPackages(root, { architecture: 'arm64', names: packages });
  for (const each of ['dev', 'proc', 'tmp', 'var/tmp'])
    mkdirSync(join(root, each), { recursive: true });
  // What base-passwd makes as it is installed.
  mkdirSync(join(root, 'etc'), { recursive: true });
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/bash\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\n');
  const folder = join(root, 'work', name);
  await unpackSource(source, { folder, parts });
  mkdirSync(join(folder, 'bin'), { recursive: true });
  for (const helper of helpers) {
    const program = join(folder, 'bin', basename(helper, '.c'));
    const defined = ['-DHAVE_STRING_H', '-DHAVE_STDLIB_H', '-DHAVE_UNISTD_H', '-DHAVE_LOCALE_H'];
    const options = ['-O1', '-w', '-static', ...defined, '-I', folder];
    execFileSync(crossCompiler, [...options, '-o', program, join(folder, helper)]);
  }
  return tests(folder);
}
