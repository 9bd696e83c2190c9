import { guestPageSize, type LinearMemory, pagePermission } from '@tapline/a64';
import { errno, LinuxError } from './errno.ts';

const { read, write, execute } = pagePermission;
/** Pages that a guest has but may not use. A bit of permissions that no access asks for. */
const reserved = 8;

/** Which pages a program has, and what it may do with them. */
export class AddressSpace {
  readonly memory: LinearMemory;
  readonly #lowest: number;
  #break = 0;
  #breakStart = 0;

  /** Pages below `lowest` are never given away. */
  constructor(memory: LinearMemory, lowest: number) {
    this.memory = memory;
    this.#lowest = lowest;
  }

  /** Where the heap begins; it ends there, too, at first. */
  startHeap(address: number): void {
    this.#breakStart = pageUp(address);
    this.#break = this.#breakStart;
  }

  /** Linux's brk: where the heap ends now, which is where it did if `end` is not possible. */
  setBreak(end: number): number {
    if (end < this.#breakStart || end > this.memory.size) return this.#break;
    const before = pageUp(this.#break);
    const after = pageUp(end);
    if (after > before) {
      if (!this.#isFree(before, after - before)) return this.#break;
      this.#give(before, { length: after - before, permissions: read | write });
    } else if (after < before) this.unmap(after, before - after);
    this.#break = end;
    return end;
  }

  /** At this very place, whatever was there. */
  mapAt(address: number, range: { readonly length: number; readonly permissions: number }): void {
    const length = pageUp(range.length);
    if (address % guestPageSize !== 0 || length === 0) throw new LinuxError(errno.invalid);
    if (address < this.#lowest || address + length > this.memory.size) {
      throw new LinuxError(errno.noMemory);
    }
    this.#give(address, { length, permissions: range.permissions });
  }

  /** Wherever there is room, from the top down, as Linux does. */
  map(range: { readonly length: number; readonly permissions: number }): number {
    const length = pageUp(range.length);
    if (length === 0) throw new LinuxError(errno.invalid);
    const top = Math.floor(this.memory.size / guestPageSize) * guestPageSize;
    let free = 0;
    for (let page = top - guestPageSize; page >= this.#lowest; page -= guestPageSize) {
      free = this.memory.permissionsOf(page) === 0 ? free + guestPageSize : 0;
      if (free < length) continue;
      this.#give(page, { length, permissions: range.permissions });
      return page;
    }
    throw new LinuxError(errno.noMemory);
  }

  unmap(address: number, size: number): void {
    const length = pageUp(size);
    if (length === 0) throw new LinuxError(errno.invalid);
    this.#check(address, length);
    this.memory.protect(address, { length, permissions: 0 });
  }

  protect(address: number, range: { readonly length: number; readonly permissions: number }): void {
    const length = pageUp(range.length);
    this.#check(address, length);
    for (let page = address; page < address + length; page += guestPageSize) {
      if (this.memory.permissionsOf(page) === 0) throw new LinuxError(errno.noMemory);
    }
    this.memory.protect(address, { length, permissions: range.permissions | reserved });
  }

  #check(address: number, length: number): void {
    if (address % guestPageSize !== 0) throw new LinuxError(errno.invalid);
    if (address < this.#lowest || address + length > this.memory.size) {
      throw new LinuxError(errno.invalid);
    }
  }

  #isFree(address: number, length: number): boolean {
    if (address + length > this.memory.size) return false;
    for (let page = address; page < address + length; page += guestPageSize) {
      if (this.memory.permissionsOf(page) !== 0) return false;
    }
    return true;
  }

  /** New pages are zero. */
  #give(address: number, range: { readonly length: number; readonly permissions: number }): void {
    const { length, permissions } = range;
    this.memory.bytesAt(address, length).fill(0);
    this.memory.protect(address, { length, permissions: permissions | reserved });
  }
}

export function pageUp(value: number): number {
  return Math.ceil(value / guestPageSize) * guestPageSize;
}

/** PROT_READ, PROT_WRITE and PROT_EXEC; as on arm64, what can be written can be read. */
export function permissionsOf(protection: number): number {
  const permissions =
    ((protection & 1) * read) |
    ((protection & 2) === 0 ? 0 : write | read) |
    ((protection & 4) === 0 ? 0 : execute | read);
  return permissions;
}
