import { readdir, readFile, readlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type ArchiveEntry, cpioArchive } from '../../../tests/segments/vm/cpio-archive.ts';

/** What no tool reads, and what is only compiled again: unpacking is slow within an emulator. */
const leftOut =
  /^usr\/share\/|^usr\/lib\/i386-linux-gnu\/(gconv|perl-base|ossl-modules|engines-3)\/|\/__pycache__\/|python3\.11\/(test|idlelib|lib2to3|distutils|ensurepip|tkinter|turtledemo|pydoc_data|unittest|lib-dynload)\//;

/** A folder, with further files of its own, as the kernel unpacks it when it starts. */
export async function rootArchive(
  root: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<Buffer> {
  const found: ArchiveEntry[] = [];
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const whole = join(entry.parentPath, entry.name);
    const path = whole.slice(root.length + 1);
    if (leftOut.test(path)) continue;
    if (entry.isSymbolicLink()) {
      found.push({ path, kind: 'link', content: Buffer.from(await readlink(whole)) });
    } else if (entry.isFile()) {
      found.push({ path, kind: 'file', content: await readFile(whole), executable: true });
    }
  }
  for (const [path, content] of files) {
    found.push({ path, kind: 'file', content, executable: true });
  }
  const folders = new Set(['proc', 'dev', 'tmp']);
  for (const { path } of found) {
    for (let at = dirname(path); at !== '.'; at = dirname(at)) folders.add(at);
  }
  // What is in a folder comes after it.
  const made = [...folders].toSorted().map((path): ArchiveEntry => ({ path, kind: 'folder' }));
  return cpioArchive([...made, ...found]);
}
