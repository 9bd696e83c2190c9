import { byteString, bytesOf } from '../byte-string.ts';
import { inodeBase } from '../files/create-inode.ts';
import { FileContent } from '../files/file-content.ts';
import type { DirectoryInode, FileInode, FileSystem, Inode, LinkInode } from '../files/inode.ts';
import { pathOf } from '../files/resolve-path.ts';
import type { GuestProcess } from '../kernel/guest-process.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { limitsOf, mapsOf, memoryOf, statOf, statusOf, zeroEnded } from './process-files.ts';
import { mountInformationOf, systemFiles } from './system-files.ts';

type Entries = Readonly<Record<string, () => Inode | undefined>>;

/** /proc: what is there is made when somebody looks, of what is then. */
export function createProc(system: FileSystem, kernel: () => Kernel): DirectoryInode {
  const owner = { uid: 0, gid: 0 };

  function file(text: () => string): FileInode {
    const content = FileContent.ofLayer(system.storage, generated(text));
    return { ...inodeBase(system, { ...owner, mode: 0o444 }), kind: 'file', content, opens: 0 };
  }

  function link(target: LinkInode['target'], jump?: LinkInode['jump']): LinkInode {
    const base = inodeBase(system, { ...owner, mode: 0o777 });
    return { ...base, kind: 'link', target, ...(jump !== undefined && { jump }) };
  }

  function directory(
    entries: {
      readonly get: (name: string) => Inode | undefined;
      readonly names: () => Iterable<string>;
    },
    place: { readonly name: string; readonly parent: DirectoryInode | undefined },
  ): DirectoryInode {
    const base = inodeBase(system, { ...owner, mode: 0o555 });
    const list = function* (): Generator<readonly [string, Inode]> {
      for (const name of entries.names()) {
        const inode = entries.get(name);
        if (inode !== undefined) yield [name, inode];
      }
    };
    return { ...base, links: 2, kind: 'directory', entries: { get: entries.get, list }, ...place };
  }

  function fixed(
    entries: Entries,
    place: { readonly name: string; readonly parent: DirectoryInode | undefined },
  ): DirectoryInode {
    const get = (name: string): Inode | undefined =>
      Object.hasOwn(entries, name) ? entries[name]?.() : undefined;
    return directory({ get, names: () => Object.keys(entries) }, place);
  }

  function descriptorsOf(process: GuestProcess, parent: DirectoryInode): DirectoryInode {
    const { descriptors } = process;
    return directory(
      {
        names: () => descriptors.numbers().map(String),
        get: (name) => {
          const number = Number(name);
          if (!/^\d+$/.test(name) || !descriptors.has(number)) return undefined;
          const open = descriptors.get(number);
          return link(
            () => open.path,
            () => open.inode,
          );
        },
      },
      { name: 'fd', parent },
    );
  }

  function directoryOf(process: GuestProcess, parent: DirectoryInode): DirectoryInode {
    const name = `${process.pid}`;
    const { image } = process;
    const entries: Entries = {
      cmdline: () => file(() => zeroEnded(image.argv)),
      comm: () => file(() => `${process.leader?.name ?? ''}\n`),
      cwd: () =>
        link(
          () => pathOf(process.folder, process.root) ?? '(unreachable)',
          () => process.folder,
        ),
      environ: () => file(() => zeroEnded(image.env)),
      exe: () =>
        link(
          () => image.path,
          () => image.file,
        ),
      fd: () => descriptorsOf(process, self),
      limits: () => file(() => limitsOf(process)),
      maps: () => file(() => mapsOf(process)),
      mountinfo: () => file(() => mountInformationOf(kernel())),
      mounts: () => file(() => systemFiles.mounts?.(kernel()) ?? ''),
      root: () =>
        link(
          () => '/',
          () => process.root,
        ),
      stat: () => file(() => statOf(process)),
      statm: () => file(() => memoryOf(process)),
      status: () => file(() => statusOf(process)),
      task: () =>
        directory(
          {
            names: () => [...process.tasks].map(({ tid }) => `${tid}`),
            get: (tid) =>
              [...process.tasks].some((task) => `${task.tid}` === tid) ? self : undefined,
          },
          { name: 'task', parent: self },
        ),
    };
    const self: DirectoryInode = fixed(entries, { name, parent });
    return self;
  }

  const top: Entries = {
    ...Object.fromEntries(
      Object.entries(systemFiles).map(([name, text]) => [
        name,
        () => file(() => byteString(text(kernel()))),
      ]),
    ),
    self: () => link(({ pid }) => `${pid}`),
    'thread-self': () => link(({ pid, tid }) => `${pid}/task/${tid}`),
    sys: () => settings,
  };
  const root: DirectoryInode = directory(
    {
      get: (name) => {
        if (Object.hasOwn(top, name)) return top[name]?.();
        const process = /^\d+$/.test(name) ? kernel().processes.get(Number(name)) : undefined;
        return process === undefined ? undefined : directoryOf(process, root);
      },
      names: () => [...[...kernel().processes.keys()].map(String), ...Object.keys(top)],
    },
    { name: 'proc', parent: undefined },
  );
  const settings: DirectoryInode = fixed(
    {
      kernel: () =>
        fixed(
          {
            hostname: () => file(() => byteString(`${kernel().hostName}\n`)),
            ostype: () => file(() => 'Linux\n'),
            osrelease: () => file(() => '6.1.0\n'),
            pid_max: () => file(() => '4194304\n'),
          },
          { name: 'kernel', parent: settings },
        ),
      vm: () =>
        fixed({ overcommit_memory: () => file(() => '0\n') }, { name: 'vm', parent: settings }),
    },
    { name: 'sys', parent: root },
  );
  return root;
}

/** Its size is what it has when it is opened; Linux says 0. */
function generated(text: () => string): { readonly size: number; readonly load: () => Uint8Array } {
  let bytes: Uint8Array | undefined;
  const load = (): Uint8Array => (bytes ??= bytesOf(text()));
  return {
    get size() {
      return load().length;
    },
    load,
  };
}
