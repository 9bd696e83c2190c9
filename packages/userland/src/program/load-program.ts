import { guestPageSize } from '@tapline/a64';
import { isTaplineError } from '@tapline/base';
import { type ElfProgram, parseElfProgram } from '@tapline/elf';
import { errno, LinuxError } from '../errno.ts';
import type { FileInode } from '../files/inode.ts';
import { type AddressSpace, pageUp, permissionsOf } from '../memory/address-space.ts';

const load = 1;
/** Where programs go that can be anywhere; their heap grows after them. */
const programBase = 0x1000000;
/** PF_X, PF_W, PF_R of gABI to PROT_EXEC, PROT_WRITE, PROT_READ. */
const protections = [0, 4, 2, 6, 1, 5, 3, 7];

export interface LoadedFile {
  readonly entry: number;
  /** What was added to its addresses. */
  readonly base: number;
  /** Where its program headers are in memory, and how many. */
  readonly headers: number;
  readonly headerCount: number;
  /** After its last byte. */
  readonly end: number;
  /** The file that is to be started instead (PT_INTERP): a byte string. */
  readonly interpreter: string | undefined;
}

/** What is loaded: the file, and what it is called in /proc/self/maps. */
export interface ProgramFile {
  readonly file: FileInode;
  readonly path: string;
}

/** Looks whether it is a program for AArch64; anything else is ENOEXEC. */
export function readProgram({ file }: ProgramFile): ElfProgram {
  const bytes = file.content.read(0, file.content.size);
  try {
    const elf = parseElfProgram(bytes);
    if (elf.header.machine !== 'aarch64') throw new LinuxError(errno.noExec);
    return elf;
  } catch (error) {
    if (isTaplineError(error)) throw new LinuxError(errno.noExec);
    throw error;
  }
}

/** Puts the segments of an ELF file where they want to be, or anywhere where that is all the same. */
export function loadSegments(
  space: AddressSpace,
  program: ProgramFile,
  how: { readonly elf: ElfProgram; readonly as: 'program' | 'interpreter' },
): LoadedFile {
  const { elf } = how;
  const { header, programHeaders } = elf;
  const segments = programHeaders.filter(({ type, memorySize }) => type === load && memorySize > 0);
  const base = baseOf(space, segments, how);
  let end = 0;
  let headers = 0;
  for (const segment of segments) {
    loadSegment(space, program, { ...segment, virtualAddress: segment.virtualAddress + base });
    const { virtualAddress, offset, fileSize, memorySize } = segment;
    end = Math.max(end, base + virtualAddress + memorySize);
    const { programHeaderOffset } = header;
    if (programHeaderOffset >= offset && programHeaderOffset < offset + fileSize) {
      headers = base + virtualAddress + programHeaderOffset - offset;
    }
  }
  return {
    entry: base + header.entry,
    base,
    headers,
    headerCount: programHeaders.length,
    end,
    interpreter: elf.interpreter,
  };
}

type Segment = ElfProgram['programHeaders'][number];

function baseOf(
  space: AddressSpace,
  segments: readonly Segment[],
  { elf, as }: { readonly elf: ElfProgram; readonly as: 'program' | 'interpreter' },
): number {
  if (elf.header.type === 'executable') return 0;
  if (as === 'program') return programBase;
  const length = Math.max(...segments.map((one) => one.virtualAddress + one.memorySize), 1);
  // Room for all of it, found and given back: its segments are mapped into it one by one.
  const at = space.map({ length, permissions: 0 });
  space.unmap(at, length);
  return at;
}

function loadSegment(space: AddressSpace, { file, path }: ProgramFile, segment: Segment): void {
  const { virtualAddress, offset, fileSize, memorySize, flags } = segment;
  const skew = virtualAddress % guestPageSize;
  const start = virtualAddress - skew;
  const permissions = permissionsOf(protections[flags & 7] ?? 0);
  const fileLength = pageUp(skew + fileSize);
  const whole = pageUp(skew + memorySize);
  if (fileSize > 0) {
    const source = { name: path, file, offset: offset - skew, shared: false };
    space.mapAt(start, { length: fileLength, permissions, source });
    // What follows the file's part within its last page is zero, not what the file goes on with.
    const tail = Math.min(fileLength, whole) - (skew + fileSize);
    if (tail > 0 && memorySize > fileSize) {
      space.write(virtualAddress + fileSize, new Uint8Array(tail));
    }
  }
  const filled = fileSize > 0 ? fileLength : 0;
  if (whole > filled) space.mapAt(start + filled, { length: whole - filled, permissions });
}
