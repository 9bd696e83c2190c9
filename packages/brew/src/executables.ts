import type { Keg } from './keg.ts';

/** The commands a keg offers, `bin` before `sbin`, each in name order. */
export function executablesOf(keg: Pick<Keg, 'entries'>): readonly string[] {
  return ['bin', 'sbin'].flatMap((folder) =>
    keg.entries
      .filter((entry) => {
        const isCommand = entry.kind === 'symlink' || (entry.kind === 'file' && entry.executable);
        return (
          isCommand && entry.path.lastIndexOf('/') === folder.length && isIn(folder, entry.path)
        );
      })
      .map((entry) => entry.path)
      .toSorted(),
  );
}

function isIn(folder: string, path: string): boolean {
  return path.startsWith(`${folder}/`);
}
