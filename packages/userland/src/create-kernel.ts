import type { CodeCache, CpuEnvironment } from '@tapline/a64';
import type { Clock, Rng } from '@tapline/base';
import { createDirectory } from './files/create-inode.ts';
import { createDevices } from './files/devices.ts';
import type { DirectoryInode, FileSystem } from './files/inode.ts';
import type { LayerDirectory } from './files/layer.ts';
import { createLayeredTree } from './files/layered-tree.ts';
import { StorageBudget } from './files/storage-budget.ts';
import { Kernel } from './kernel/kernel.ts';
import { MachinePool } from './memory/machine-pool.ts';
import { MemoryBudget } from './memory/memory-budget.ts';
import { createProc } from './proc/create-proc.ts';
import type { HostNetwork } from './sockets/host-network.ts';
import { Network } from './sockets/network.ts';
import { Terminals } from './terminal/terminals.ts';

const counterFrequency = 62_500_000n;
/** What a Cortex-A57 says in MIDR_EL1; other registers say that there is nothing special. */
const mainId = 0x411fd070n;
/**
 * Programs reserve addresses that they do not use: Go 600 MB as it starts. Memory of WebAssembly that
 * nobody has touched costs hosts nothing.
 */
const leastAddressSpace = 1024 * 1024 * 1024;
// include/uapi/linux/magic.h
const magic = { overlay: 0x794c7630, temporary: 0x01021994, proc: 0x9fa0, terminals: 0x1cd1 };

export interface KernelOptions {
  readonly files: LayerDirectory;
  readonly clock: Clock;
  readonly rng: Rng;
  /** Bytes that all processes may use together. */
  readonly memoryLimit: number;
  /** Bytes of addresses that each process has; when left out `memoryLimit`, but at least 1 GiB. */
  readonly addressSpace?: number;
  /** Bytes that guests may write to files; `memoryLimit` when left out. */
  readonly storageLimit?: number;
  /** WebAssembly memories at once. Browsers have 3 to 8 that are fast; 32 when left out. */
  readonly machines?: number;
  /** Arrivals at a place after which it is translated; 0 for interpreting everything. */
  readonly hotAfter: number;
  /** What was translated before. With one, all that programs come to is kept there when they end. */
  readonly codeCache?: CodeCache;
  readonly hostName?: string;
  /** Threads of all processes together; 1024 when left out. */
  readonly mostThreads?: number;
  /** The way out for TCP; without it guests reach only each other. */
  readonly network?: HostNetwork;
}

/** A kernel without processes: its files, with /dev and /proc, and room for memory. */
export function createKernel(options: KernelOptions): Kernel {
  const { clock, rng, memoryLimit } = options;
  const storage = new StorageBudget(options.storageLimit ?? memoryLimit);
  let device = 0x10;
  const system = (name: string, number: number): FileSystem => ({
    device: device++,
    magic: number,
    name,
    readOnly: false,
    nextInode: 1,
    storage,
    now: () => clock.now(),
  });
  const root = createLayeredTree(system('overlay', magic.overlay), options.files);
  const environment: CpuEnvironment = {
    counter: () => BigInt(Math.floor(clock.monotonic() * 62_500)),
    counterFrequency,
    identification: (number) => (number === 0 ? mainId : 0n),
  };
  const self = (): Kernel => kernel;
  const terminals = new Terminals(system('devpts', magic.terminals), self);
  const kernel = new Kernel({
    root,
    clock,
    rng,
    machines: new MachinePool({
      machines: options.machines ?? 32,
      addressSpace: options.addressSpace ?? Math.max(memoryLimit, leastAddressSpace),
      hotAfter: options.hotAfter,
      environment,
      ...(options.codeCache !== undefined && { cache: options.codeCache }),
    }),
    memory: new MemoryBudget(memoryLimit),
    storage,
    network: new Network(options.network),
    terminals,
    hostName: options.hostName ?? 'tapline',
    mostThreads: options.mostThreads ?? 1024,
  });
  const shared = system('tmpfs', magic.temporary);
  mount(root, 'dev', createDevices(system('dev', magic.temporary), { rng, terminals, shared }));
  mount(root, 'proc', createProc(system('proc', magic.proc), self));
  if (root.entries.get('tmp') === undefined) addFolder(root, 'tmp', 0o1777);
  return kernel;
}

/** Puts a tree in the place of a folder, which is made where there is none. */
function mount(root: DirectoryInode, name: string, tree: DirectoryInode): void {
  const found = root.entries.get(name);
  const folder = found?.kind === 'directory' ? found : addFolder(root, name, 0o755);
  folder.mounted = tree;
  tree.parent = root;
  tree.name = name;
}

function addFolder(root: DirectoryInode, name: string, mode: number): DirectoryInode {
  const folder = createDirectory(root.system, { mode, uid: 0, gid: 0 }, { name, parent: root });
  root.entries.set?.(name, folder);
  root.links++;
  return folder;
}
