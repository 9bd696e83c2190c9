import { open } from 'node:fs/promises';
import { join } from 'node:path';

import { runProgram } from '../debian/run-program.ts';

/** What the dynamic linker would read of one ELF file. */
export interface ElfFacts {
  readonly path: string;
  readonly needed: readonly string[];
  readonly soname: string | undefined;
  readonly interpreter: string | undefined;
  readonly rpath: string | undefined;
  readonly dynamic: boolean;
}

/** Reads the dynamic sections of those of `files` that are ELF, with binutils' readelf. */
export async function readElfFacts(
  folder: string,
  files: readonly string[],
): Promise<readonly ElfFacts[]> {
  const elf: string[] = [];
  for (const file of files) if (await isElf(join(folder, file))) elf.push(file);
  if (elf.length === 0) return [];
  // Given twice because readelf leaves the "File:" line out when there is one file.
  const first = elf[0] ?? '';
  const text = await runProgram('readelf', ['-ldW', first, ...elf], { cwd: folder });
  return text
    .split(/^File: /m)
    .slice(2)
    .map((part) => parseReadelf(part));
}

function parseReadelf(part: string): ElfFacts {
  return {
    path: (part.split('\n')[0] ?? '').trim(),
    needed: [...part.matchAll(/\(NEEDED\)\s+Shared library: \[(.*)\]/g)].map((m) => m[1] ?? ''),
    soname: /\(SONAME\)\s+Library soname: \[(.*)\]/.exec(part)?.[1],
    interpreter: /\[Requesting program interpreter: (.*)\]/.exec(part)?.[1],
    rpath: /\((?:RPATH|RUNPATH)\)\s+Library r\w+path: \[(.*)\]/.exec(part)?.[1],
    dynamic: part.includes('Dynamic section at offset'),
  };
}

async function isElf(path: string): Promise<boolean> {
  await using file = await open(path, 'r');
  const { bytesRead, buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
  return bytesRead === 4 && buffer.toString('latin1') === '\u007fELF';
}
