/** A file of an initramfs. */
export interface ArchiveEntry {
  readonly path: string;
  /** Content of a file, target of a link; absent for a folder. */
  readonly content?: Uint8Array;
  readonly kind: 'file' | 'folder' | 'link';
  readonly executable?: boolean;
}

const kinds = { file: 0o100000, folder: 0o040000, link: 0o120000 } as const;

/** An archive in the format that Linux unpacks at its start (newc, initramfs-buffer-format). */
export function cpioArchive(entries: readonly ArchiveEntry[]): Buffer {
  const parts: Buffer[] = [];
  for (const [index, entry] of [
    ...entries,
    { path: 'TRAILER!!!', kind: 'file' } as const,
  ].entries()) {
    const content = Buffer.from(entry.content ?? []);
    const mode =
      kinds[entry.kind] | (entry.kind === 'file' && entry.executable !== true ? 0o644 : 0o755);
    const name = Buffer.from(`${entry.path}\0`);
    const fields = [index + 1, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0];
    const head = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
    parts.push(pad(Buffer.concat([Buffer.from(head), name])), pad(content));
  }
  return Buffer.concat(parts);
}

function pad(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)]);
}
