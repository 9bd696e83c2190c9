import { lstat, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { runProgram } from '../debian/run-program.ts';
import { gccLibFolder } from './keg-path.ts';
import type { ElfFacts } from './read-elf-facts.ts';

const interpreter = '@@HOMEBREW_PREFIX@@/lib/ld.so';

/**
 * Gives a keg's programs and libraries the placeholders a bottle has: interpreter and RUNPATH.
 * patchelf does it here, so that Tapline's own ELF editor meets files it did not make.
 */
export async function relocateElf(
  keg: string,
  elf: readonly ElfFacts[],
  rpath: readonly string[],
): Promise<void> {
  const programs: string[] = [];
  const libraries: string[] = [];
  const seen = new Set<number>();
  for (const item of elf.filter(({ dynamic }) => dynamic)) {
    // patchelf writes in place, so one name of a hard link is enough.
    const { ino } = await lstat(join(keg, item.path));
    if (seen.has(ino)) continue;
    seen.add(ino);
    if (item.interpreter !== undefined) programs.push(item.path);
    else if (item.needed.length > 0) libraries.push(item.path);
  }
  // patchelf reads an argument that starts with @ from the file it names.
  const rpathFile = `${keg}.rpath`;
  const interpreterFile = `${keg}.interpreter`;
  await writeFile(rpathFile, rpath.join(':'));
  await writeFile(interpreterFile, interpreter);
  const setRpath = ['--set-rpath', `@${rpathFile}`];
  const setInterpreter = ['--set-interpreter', `@${interpreterFile}`];
  if (programs.length > 0) {
    await runProgram('patchelf', [...setInterpreter, ...setRpath, ...programs], { cwd: keg });
  }
  if (libraries.length > 0) await runProgram('patchelf', [...setRpath, ...libraries], { cwd: keg });
  await rm(rpathFile);
  await rm(interpreterFile);
}

/** RUNPATH of a keg: its own libraries, those of its dependencies, the prefix's. */
export function kegRpath(
  formula: string,
  pkgVersion: string,
  dependencies: readonly string[],
): readonly string[] {
  const prefix = '@@HOMEBREW_PREFIX@@';
  return [
    // gcc's libraries lie below lib/ and find each other.
    formula === 'gcc' ? '$ORIGIN' : `@@HOMEBREW_CELLAR@@/${formula}/${pkgVersion}/lib`,
    ...dependencies.map((name) => `${prefix}/opt/${name}/${name === 'gcc' ? gccLibFolder : 'lib'}`),
    `${prefix}/lib`,
  ];
}
