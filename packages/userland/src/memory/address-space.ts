import {
  type Cpu,
  guestPageSize,
  type LinearMemory,
  lowestGuestAddress,
  pagePermission,
} from '@tapline/a64';
import type { GuestMachine } from '@tapline/a64';
import { errno, LinuxError } from '../errno.ts';
import { freeUnused } from '../files/tree-operations.ts';
import type { MachinePool, MachineUser } from './machine-pool.ts';
import type { MemoryBudget } from './memory-budget.ts';
import type { Region, RegionSource } from './region.ts';
import { RegionList } from './region-list.ts';

const { read, write, execute } = pagePermission;
const megabyte = 1024 * 1024;
/** RLIMIT_STACK as Linux has it, where there is that much room. */
const largestStack = 8 * megabyte;

/** Whose registers the processor of a machine has. */
export interface RegisterOwner {
  readonly savedRegisters: Uint8Array;
}

/**
 * Which pages a process has, what it may do with them, and what is in them. From below: what the
 * machine has for itself, the program, its heap, room, mappings from the top down, the stack.
 */
export class AddressSpace implements MachineUser {
  readonly #pool: MachinePool;
  readonly #budget: MemoryBudget;
  readonly #regions: RegionList = new RegionList();
  /** Pages that may have something else than zeros in them. */
  readonly #used: Uint8Array;
  #machine: GuestMachine | undefined;
  /** Pages and their content, while there is no machine. */
  #aside: { readonly page: number; readonly bytes: Uint8Array }[] = [];
  #registers: RegisterOwner | undefined;
  #breakStart = 0;
  #break = 0;
  /** Processes and their children that share it until they run something else. */
  references = 1;

  constructor(
    pool: MachinePool,
    budget: MemoryBudget,
    used: Uint8Array = new Uint8Array(Math.ceil(pool.addressSpace / guestPageSize)),
  ) {
    this.#pool = pool;
    this.#budget = budget;
    this.#used = used;
  }

  get size(): number {
    return Math.floor(this.#pool.addressSpace / guestPageSize) * guestPageSize;
  }

  get stackSize(): number {
    return Math.min(largestStack, pageUp(this.size / 16));
  }

  /** The stack ends there; above is the page with the code that signal handlers return to. */
  get stackTop(): number {
    return this.size - 2 * guestPageSize;
  }

  get machine(): GuestMachine {
    if (this.#machine === undefined) this.#bringBack();
    return this.#machine ?? this.#pool.acquire(this);
  }

  get memory(): LinearMemory {
    return this.machine.memory;
  }

  regions(): readonly Region[] {
    return this.#regions.all();
  }

  regionAt(address: number): Region | undefined {
    return this.#regions.at(address);
  }

  /** The processor, with the registers of this thread. */
  enter(owner: RegisterOwner): Cpu {
    const { cpu } = this.machine;
    if (this.#registers !== owner) {
      this.saveRegisters();
      cpu.state.set(owner.savedRegisters);
      cpu.reservation = undefined;
      this.#registers = owner;
    }
    this.#pool.use(this);
    return cpu;
  }

  /** What the thread that ran last has in its registers goes to where they are kept. */
  saveRegisters(): void {
    if (this.#machine === undefined) return;
    this.#registers?.savedRegisters.set(this.#machine.cpu.state);
    this.#registers = undefined;
  }

  // Shared memory: who runs has it in its own, and it is kept elsewhere in between.

  /** Takes over what others have written to what is shared. */
  loadShared(): void {
    for (const region of this.#regions.all()) {
      if (region.source.shared) this.#fill(region);
    }
  }

  /** Has others see what was written to what is shared. */
  storeShared(start = 0, end: number = this.size): void {
    for (const region of this.#regions.within(start, end)) {
      const { source } = region;
      if (!source.shared || (region.permissions & write) === 0) continue;
      const length = region.end - region.start;
      const bytes = this.memory.bytesAt(region.start, length);
      if (source.bytes !== undefined) source.bytes.bytes.set(bytes, source.offset);
      else if (source.file !== undefined) {
        const { content } = source.file;
        const inside = Math.min(length, content.size - source.offset);
        if (inside <= 0) continue;
        const now = content.read(source.offset, inside);
        if (!equal(now, bytes.subarray(0, inside))) {
          content.write(source.offset, bytes.slice(0, inside));
          source.file.modifiedMs = source.file.changedMs = source.file.system.now();
        }
      }
    }
  }

  get hasShared(): boolean {
    return this.#regions.all().some(({ source }) => source.shared);
  }

  // The heap.

  startHeap(address: number): void {
    this.#breakStart = pageUp(address);
    this.#break = this.#breakStart;
  }

  /** Linux's brk: where the heap ends now, which is where it did if `end` is not possible. */
  setBreak(end: number): number {
    // Without a program there is no heap.
    const none = this.#breakStart === 0;
    if (none || end < this.#breakStart || end > this.size) return this.#break;
    const before = pageUp(this.#break);
    const after = pageUp(end);
    if (after > before) {
      if (!this.#regions.isFree(before, after)) return this.#break;
      try {
        const source = { name: '[heap]', offset: 0, shared: false };
        this.#give({ start: before, end: after, permissions: read | write, source });
      } catch (error) {
        if (error instanceof LinuxError) return this.#break;
        throw error;
      }
    } else if (after < before) this.unmap(after, before - after);
    this.#break = end;
    return end;
  }

  get heapEnd(): number {
    return this.#break;
  }

  // Mappings.

  /** At this very place, whatever was there. */
  mapAt(address: number, what: Mapping): void {
    const length = pageUp(what.length);
    if (address % guestPageSize !== 0 || length === 0) throw new LinuxError(errno.invalid);
    if (address < lowestGuestAddress || address + length > this.size) {
      throw new LinuxError(address < lowestGuestAddress ? errno.notPermitted : errno.noMemory);
    }
    const { permissions, source = anonymous } = what;
    this.#give({ start: address, end: address + length, permissions, source });
  }

  /** Wherever there is room, from the top down, as Linux does. */
  map(what: Mapping): number {
    const length = pageUp(what.length);
    if (length === 0) throw new LinuxError(errno.invalid);
    const top = this.stackTop - this.stackSize - guestPageSize;
    const bottom = lowestGuestAddress;
    const start = length > this.size ? undefined : this.#regions.findFree(length, { bottom, top });
    if (start === undefined) {
      this.#budget.refused++;
      throw new LinuxError(errno.noMemory);
    }
    const { permissions, source = anonymous } = what;
    this.#give({ start, end: start + length, permissions, source });
    return start;
  }

  isFree(address: number, length: number): boolean {
    return this.#regions.isFree(address, address + pageUp(length));
  }

  unmap(address: number, size: number): void {
    const length = pageUp(size);
    if (length === 0) throw new LinuxError(errno.invalid);
    this.#check(address, length, errno.invalid);
    this.storeShared(address, address + length);
    this.#replace({ start: address, end: address + length }, []);
    this.memory.protect(address, { length, permissions: 0 });
  }

  protect(address: number, range: { readonly length: number; readonly permissions: number }): void {
    const length = pageUp(range.length);
    this.#check(address, length, errno.noMemory);
    const end = address + length;
    const regions = this.#regions.within(address, end);
    const covered = regions.reduce((total, region) => total + region.end - region.start, 0);
    const { permissions } = range;
    this.#replace(
      { start: address, end },
      regions.map((region) => ({ ...region, permissions })),
    );
    for (const region of regions) {
      this.#setPermissions({ ...region, permissions });
    }
    if (covered < length) throw new LinuxError(errno.noMemory);
  }

  /** MADV_DONTNEED: what is there is as it was when it was mapped. */
  discard(address: number, size: number): void {
    const length = pageUp(size);
    this.#check(address, length, errno.noMemory);
    for (const region of this.#regions.within(address, address + length)) {
      if (region.source.shared) continue;
      this.#clear(region.start, region.end);
      this.#fill(region);
    }
  }

  /** Writes to where the guest itself may not. */
  write(address: number, bytes: Uint8Array): void {
    this.memory.bytesAt(address, bytes.length).set(bytes);
    const first = Math.floor(address / guestPageSize);
    this.#used.fill(1, first, Math.ceil((address + bytes.length) / guestPageSize));
  }

  /** Makes the stack larger where a fault was just below it. */
  growStack(address: number): boolean {
    const lowest = this.stackTop - this.stackSize;
    if (address < lowest || address >= this.stackTop) return false;
    const above = this.#regions.within(address, this.stackTop)[0];
    const start = address - (address % guestPageSize);
    if (above?.source.growsDown !== true || above.start <= address) return false;
    try {
      const { permissions, source } = above;
      this.#give({ start, end: above.start, permissions, source });
      return true;
    } catch (error) {
      if (error instanceof LinuxError) return false;
      throw error;
    }
  }

  // Processes.

  /** The same pages with the same content, in a machine of its own. */
  fork(): AddressSpace {
    const child = new AddressSpace(this.#pool, this.#budget, this.#used.slice());
    const from = this.memory;
    const pages = chargedPages(this.#regions.all());
    this.#budget.takePages(pages);
    for (const region of this.#regions.all()) {
      child.#regions.replace({ start: region.start, end: region.end }, [region]);
      holdFile(region);
    }
    child.#break = this.#break;
    child.#breakStart = this.#breakStart;
    // The parent keeps its machine: it ran last, and there are two at least.
    this.#pool.use(this);
    const machine = child.#pool.acquire(child);
    child.#machine = machine;
    for (const { start, end } of usedRuns(this.#used)) {
      machine.memory.bytesAt(start, end - start).set(from.bytesAt(start, end - start));
    }
    for (const region of this.#regions.all()) child.#setPermissions(region);
    return child;
  }

  /** Nobody has it any more. */
  release(): void {
    this.references--;
    if (this.references > 0) return;
    if (this.hasShared) this.storeShared();
    if (this.#machine !== undefined) {
      if (this.#pool.keepsVisited) this.#machine.translateVisited();
      this.#wipe(this.#machine);
    }
    this.#replace({ start: 0, end: this.size }, []);
    this.#aside = [];
    this.#registers = undefined;
    this.#machine = undefined;
    this.#pool.release(this);
  }

  evict(): void {
    const machine = this.#machine;
    if (machine === undefined) return;
    this.saveRegisters();
    for (const { start, end } of usedRuns(this.#used)) {
      this.#aside.push({ page: start, bytes: machine.memory.bytesAt(start, end - start).slice() });
    }
    this.#wipe(machine);
    this.#machine = undefined;
    this.#pool.release(this);
  }

  #bringBack(): void {
    const machine = this.#pool.acquire(this);
    this.#machine = machine;
    for (const { page, bytes } of this.#aside) {
      machine.memory.bytesAt(page, bytes.length).set(bytes);
    }
    this.#aside = [];
    for (const region of this.#regions.all()) this.#setPermissions(region);
  }

  #wipe(machine: GuestMachine): void {
    for (const { start, end } of usedRuns(this.#used)) {
      machine.memory.bytesAt(start, end - start).fill(0);
    }
    for (const { start, end } of this.#regions.all()) {
      machine.memory.protect(start, { length: end - start, permissions: 0 });
    }
    machine.memory.codeChanged();
  }

  #check(
    address: number,
    length: number,
    number: typeof errno.invalid | typeof errno.noMemory,
  ): void {
    if (address % guestPageSize !== 0) throw new LinuxError(errno.invalid);
    if (address < lowestGuestAddress || address + length > this.size) throw new LinuxError(number);
  }

  /** New pages are zero, or what the file has. */
  #give(region: Region): void {
    const { start, end } = region;
    this.storeShared(start, end);
    this.#replace(region, [region]);
    this.#clear(start, end);
    this.#setPermissions(region);
    this.#fill(region);
  }

  #replace(range: { readonly start: number; readonly end: number }, by: readonly Region[]): void {
    const replaced = this.#regions.within(range.start, range.end);
    this.#budget.takePages(chargedPages(by) - chargedPages(replaced));
    const before = this.#regions.all();
    this.#regions.replace(range, by);
    // Regions are cut and joined, so all are looked at.
    for (const region of this.#regions.all()) holdFile(region);
    for (const region of before) releaseFile(region);
  }

  #fill({ start, end, source }: Region): void {
    const { file, bytes, offset } = source;
    const length = end - start;
    if (file !== undefined) {
      const content = file.content.read(offset, length);
      if (content.length > 0) this.write(start, content);
    } else if (bytes !== undefined)
      this.write(start, bytes.bytes.subarray(offset, offset + length));
  }

  #clear(start: number, end: number): void {
    const first = start / guestPageSize;
    const last = end / guestPageSize;
    const { memory } = this;
    for (let page = first; page < last; page++) {
      if (this.#used[page] === 0) continue;
      memory.bytesAt(page * guestPageSize, guestPageSize).fill(0);
      this.#used[page] = 0;
    }
  }

  #setPermissions({ start, end, permissions }: Region): void {
    if ((permissions & write) !== 0) {
      this.#used.fill(1, start / guestPageSize, end / guestPageSize);
    }
    this.memory.protect(start, { length: end - start, permissions });
  }
}

export interface Mapping {
  readonly length: number;
  /** Of `pagePermission`. */
  readonly permissions: number;
  readonly source?: RegionSource;
}

const anonymous: RegionSource = { name: '', offset: 0, shared: false };

export function pageUp(value: number): number {
  return Math.ceil(value / guestPageSize) * guestPageSize;
}

/** PROT_READ, PROT_WRITE and PROT_EXEC; as on arm64, what can be written can be read. */
export function permissionsOf(protection: number): number {
  return (
    ((protection & 1) * read) |
    ((protection & 2) === 0 ? 0 : write | read) |
    ((protection & 4) === 0 ? 0 : execute | read)
  );
}

/** Pages that nobody may use cost nothing: programs reserve much more than they need. */
function chargedPages(regions: readonly Region[]): number {
  let pages = 0;
  for (const { start, end, permissions } of regions) {
    if (permissions !== 0) pages += (end - start) / guestPageSize;
  }
  return pages;
}

function* usedRuns(used: Uint8Array): Generator<{ readonly start: number; readonly end: number }> {
  for (let at = used.indexOf(1); at >= 0;) {
    const found = used.indexOf(0, at);
    const end = found < 0 ? used.length : found;
    yield { start: at * guestPageSize, end: end * guestPageSize };
    at = used.indexOf(1, end);
    if (found < 0) break;
  }
}

function holdFile({ source }: Region): void {
  if (source.file !== undefined) source.file.opens++;
}

function releaseFile({ source }: Region): void {
  if (source.file === undefined) return;
  source.file.opens--;
  freeUnused(source.file);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.every((byte, at) => byte === b[at]);
}
