import { CodeCache, type CpuEnvironment, GuestMachine, type SystemCallOutcome } from '@tapline/a64';

/** What has a machine for as long as no other needs it more. */
export interface MachineUser {
  /** Takes its memory with it; the machine is zero afterwards. */
  evict(): void;
}

/**
 * The machines of all processes, each with a WebAssembly memory. Browsers have few that are fast, so
 * there are only so many; who has not run for longest is put aside for the next.
 */
export class MachinePool {
  readonly #options: MachinePoolOptions;
  readonly #free: GuestMachine[] = [];
  /** Who ran last is last. */
  readonly #users: Map<MachineUser, GuestMachine> = new Map();

  readonly #cache: CodeCache;
  /** Makes the system calls of the thread that runs; set by who runs it. */
  systemCall: (() => SystemCallOutcome) | undefined;
  /** How much more the thread that runs may use, set with it. */
  refuel: (() => number) | undefined;

  constructor(options: MachinePoolOptions) {
    this.#options = options;
    this.#cache = options.cache ?? new CodeCache();
  }

  /** Whether what programs have come to is translated when they end, for who comes after. */
  get keepsVisited(): boolean {
    return this.#options.cache !== undefined && this.#options.hotAfter > 0;
  }

  /** Bytes of the address space of each process. */
  get addressSpace(): number {
    return this.#options.addressSpace;
  }

  acquire(user: MachineUser): GuestMachine {
    const machine = this.#free.pop() ?? this.#make();
    this.#users.set(user, machine);
    return machine;
  }

  /** Says that the user runs now. */
  use(user: MachineUser): void {
    const machine = this.#users.get(user);
    if (machine === undefined) return;
    this.#users.delete(user);
    this.#users.set(user, machine);
  }

  /** All of it is zero again, and no page is mapped. */
  release(user: MachineUser): void {
    const machine = this.#users.get(user);
    if (machine === undefined) return;
    this.#users.delete(user);
    this.#free.push(machine);
  }

  #make(): GuestMachine {
    const { machines, addressSpace, hotAfter, environment } = this.#options;
    const [longest] = this.#users.keys();
    if (this.#users.size >= Math.max(machines, 2) && longest !== undefined) {
      longest.evict();
      const freed = this.#free.pop();
      if (freed !== undefined) return freed;
    }
    return new GuestMachine({
      bytes: addressSpace,
      hotAfter,
      environment,
      cache: this.#cache,
      systemCall: () => this.systemCall?.() ?? 'refused',
      refuel: () => this.refuel?.() ?? 0,
    });
  }
}

export interface MachinePoolOptions {
  /** How many may be there at once; two at least, as a process and its copy are needed together. */
  readonly machines: number;
  readonly addressSpace: number;
  readonly hotAfter: number;
  readonly environment: CpuEnvironment;
  /** What was translated before, and where what programs come to is kept; one of its own without. */
  readonly cache?: CodeCache;
}
