import { FileContent } from './file-content.ts';
import type {
  DirectoryEntries,
  DirectoryInode,
  FileInode,
  FileSystem,
  InodeBase,
  LinkInode,
  SpecialInode,
} from './inode.ts';

export interface InodeOwner {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** What a new inode begins with. */
export function inodeBase(system: FileSystem, owner: InodeOwner): InodeBase {
  const now = system.now();
  return {
    number: system.nextInode++,
    system,
    ...owner,
    links: 1,
    accessedMs: now,
    modifiedMs: now,
    changedMs: now,
  };
}

export function createFile(system: FileSystem, owner: InodeOwner): FileInode {
  const content = FileContent.empty(system.storage);
  return { ...inodeBase(system, owner), kind: 'file', content, opens: 0 };
}

export function createDirectory(
  system: FileSystem,
  owner: InodeOwner,
  place: {
    readonly name: string;
    readonly parent: DirectoryInode | undefined;
    readonly entries?: DirectoryEntries;
  },
): DirectoryInode {
  const names = new Map();
  const entries = place.entries ?? {
    get: (name) => names.get(name),
    list: () => names,
    set: (name, inode) => {
      names.set(name, inode);
    },
    delete: (name) => {
      names.delete(name);
    },
  };
  const { name, parent } = place;
  return { ...inodeBase(system, owner), links: 2, kind: 'directory', entries, name, parent };
}

export function createLink(
  system: FileSystem,
  owner: Omit<InodeOwner, 'mode'>,
  target: string,
): LinkInode {
  const base = inodeBase(system, { ...owner, mode: 0o777 });
  return { ...base, kind: 'link', target: () => target };
}

export function createSpecial(
  system: FileSystem,
  owner: InodeOwner,
  what: Pick<SpecialInode, 'kind' | 'special' | 'open' | 'opened'>,
): SpecialInode {
  return { ...inodeBase(system, owner), ...what };
}
