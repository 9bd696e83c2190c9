import { MemoryFault } from './memory-fault.ts';

/** What a page may be used for. */
export const pagePermission = { read: 1, write: 2, execute: 4 } as const;

export const guestPageSize = 4096;

/**
 * In the byte of a page, as translated code reads it: this page and the one after it may be used so.
 * An access of up to a page's length has then only its first byte's page to ask.
 */
export const spanPermission = { read: 16, write: 32 } as const;

const spanShift = 4;
const spannable = pagePermission.read | pagePermission.write;
/** What is not derived. */
const own = 15;

/**
 * A guest's address space: address n is byte n of one buffer, as far as the buffer goes. Nothing
 * outside can be named; what is inside can be used as its page allows.
 */
export class LinearMemory {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #permissions: Uint8Array;
  #codeVersion = 0;

  /**
   * `permissions` has a byte for each page that the guest can have, none of them set at first.
   * Translated code reads the same bytes.
   */
  constructor(buffer: ArrayBufferLike, permissions: Uint8Array) {
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
    this.#permissions = permissions;
  }

  /** Bytes that can be addressed, mapped or not. */
  get size(): number {
    return Math.min(this.#bytes.length, this.#permissions.length * guestPageSize);
  }

  /** `start` and `length` are whole pages. */
  protect(start: number, range: { readonly length: number; readonly permissions: number }): void {
    const first = start / guestPageSize;
    const end = first + range.length / guestPageSize;
    if ((range.permissions & pagePermission.execute) !== 0 || this.#hasCode(first, end))
      this.#codeVersion++;
    const value = range.permissions & own;
    this.#permissions.fill(value | ((value & spannable) << spanShift), first, end);
    this.#spanFrom(first - 1);
    this.#spanFrom(end - 1);
  }

  /** Programs reserve much: this is a loop as it may be over a hundred thousand pages. */
  #hasCode(first: number, end: number): boolean {
    const permissions = this.#permissions;
    for (let page = first; page < end; page++) {
      if (((permissions[page] ?? 0) & pagePermission.execute) !== 0) return true;
    }
    return false;
  }

  /** Has a page say again what it may be used for together with the next one. */
  #spanFrom(page: number): void {
    const permissions = this.#permissions[page];
    if (permissions === undefined) return;
    const both = permissions & (this.#permissions[page + 1] ?? 0) & spannable;
    this.#permissions[page] = (permissions & own) | (both << spanShift);
  }

  /** Another number than before when code may have come, gone or changed. */
  get codeVersion(): number {
    return this.#codeVersion;
  }

  /** What a program says that has written code (IC IVAU). */
  codeChanged(): void {
    this.#codeVersion++;
  }

  permissionsOf(address: number): number {
    return (this.#permissions[Math.floor(address / guestPageSize)] ?? 0) & own;
  }

  /** The offset of `length` bytes that may be used so, or a {@link MemoryFault}. */
  resolve(
    address: bigint,
    access: { readonly length: number; readonly permission: number },
  ): number {
    const untagged = withoutTag(address);
    const offset = Number(untagged);
    if (offset + access.length > this.size) throw new MemoryFault(untagged, access.permission);
    const last = Math.floor((offset + access.length - 1) / guestPageSize);
    for (let page = Math.floor(offset / guestPageSize); page <= last; page++) {
      if (((this.#permissions[page] ?? 0) & access.permission) === 0) {
        const first = Math.max(page * guestPageSize, offset);
        throw new MemoryFault(BigInt(first), access.permission);
      }
    }
    return offset;
  }

  /** The word at `address`, to be run. */
  fetch(address: bigint): number {
    if ((address & 3n) !== 0n) throw new MemoryFault(address, pagePermission.execute);
    const at = this.resolve(address, { length: 4, permission: pagePermission.execute });
    return this.#view.getUint32(at, true);
  }

  /** An unsigned number of 2^`size` bytes at a resolved offset. */
  read(offset: number, size: number): bigint {
    switch (size) {
      case 0:
        return BigInt(this.#view.getUint8(offset));
      case 1:
        return BigInt(this.#view.getUint16(offset, true));
      case 2:
        return BigInt(this.#view.getUint32(offset, true));
      default:
        return this.#view.getBigUint64(offset, true);
    }
  }

  /** 32 bits at a resolved offset. */
  word(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  /** The low 2^`size` bytes of `value`, to a resolved offset. */
  write(offset: number, value: bigint, size: number): void {
    switch (size) {
      case 0:
        this.#view.setUint8(offset, Number(value & 0xffn));
        break;
      case 1:
        this.#view.setUint16(offset, Number(value & 0xffffn), true);
        break;
      case 2:
        this.#view.setUint32(offset, Number(value & 0xffffffffn), true);
        break;
      default:
        this.#view.setBigUint64(offset, value, true);
    }
  }

  /** A view of bytes at a resolved offset. */
  bytesAt(offset: number, length: number): Uint8Array {
    return this.#bytes.subarray(offset, offset + length);
  }
}

/**
 * Linux has the top byte of a program's pointers ignored (TBI0). Those with bit 55 set are the
 * kernel's, and kept.
 */
export function withoutTag(address: bigint): bigint {
  return (address & (1n << 55n)) === 0n ? BigInt.asUintN(55, address) : address;
}
