import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type ElfFile, isElf, parseElf } from '@tapline/elf';

export interface DynamicFile {
  /** Relative to the root it was found below. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly elf: ElfFile;
}

/** glibc has 253 converters that are made alike; these are as many as the others are of a kind. */
const maxConverters = 20;

/** The dynamic ELF files below `root`, in path order, each content once. */
export async function* dynamicFiles(root: string): AsyncGenerator<DynamicFile, void> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .toSorted();
  const seen = new Set<string>();
  let converters = 0;
  for (const path of paths) {
    const isConverter = path.includes('/gconv/');
    if (isConverter && converters >= maxConverters) continue;
    const bytes = await readFile(join(root, path));
    if (!isElf(bytes)) continue;
    const elf = parseElf(bytes);
    const digest = createHash('sha256').update(bytes).digest('hex');
    if (elf.linking === 'static' || seen.has(digest)) continue;
    seen.add(digest);
    if (isConverter) converters += 1;
    yield { path, bytes, elf };
  }
}
