import { TaplineError } from '@tapline/base';
import { findOffset } from './address-to-offset.ts';
import {
  dynamicEntrySize,
  dynamicTag,
  programHeaderSize,
  sectionHeaderSize,
  sectionType,
  segmentFlag,
  segmentType,
} from './elf-constants.ts';
import type { DynamicEntry, ElfFile, ProgramHeader, SectionHeader } from './elf-file.ts';
import type { ElfPatch } from './elf-patch.ts';
import { ElfReader } from './elf-reader.ts';
import { encodeDynamic, encodeProgramHeaders, encodeU64s } from './encode-elf.ts';
import { parseElf } from './parse-elf.ts';
import { placeSegment } from './place-segment.ts';
import { planRpath, type RpathEdit } from './plan-rpath.ts';
import { dynamicValue } from './read-dynamic.ts';

/** What to change; what is left out stays as it is. */
export interface ElfEdit {
  readonly interpreter?: string;
  /** A search path in DT_RPATH or DT_RUNPATH (the other one goes), or none at all. */
  readonly rpath?: RpathEdit;
}

/**
 * A copy of `bytes` with the edit made: in place where it fits, else with one more segment at the
 * end for what does not. Nothing that is in the file moves, so that debug data, notes and what is
 * appended to it keep their offsets. Throws `elf_malformed`, `elf_unsupported`, `elf_edit_invalid`
 * (a value) or `elf_not_editable` (a static file; a library has no interpreter).
 *
 * When a dynamic section without a spare entry has to grow, it leaves the part of the memory that is
 * read-only after relocation.
 */
export function editElf(bytes: Uint8Array, edit: ElfEdit): Uint8Array {
  checkEdit(edit);
  const file = parseElf(bytes);
  const plan = planEdit(new ElfReader(bytes), file, edit);
  // Not slice(): a Buffer's is a view of the same memory.
  const result = new Uint8Array(plan.length);
  result.set(bytes);
  for (const patch of plan.patches) result.set(patch.bytes, patch.offset);
  return result;
}

interface EditPlan {
  /** Of the edited file. */
  readonly length: number;
  readonly patches: readonly ElfPatch[];
}

/** What leaves its place for the new segment. */
interface Moves {
  readonly interpreter?: Uint8Array;
  readonly strings?: Uint8Array;
  /** The entries to write, wherever they go. */
  readonly dynamic?: readonly DynamicEntry[];
  readonly dynamicMoves: boolean;
}

function planEdit(reader: ElfReader, file: ElfFile, edit: ElfEdit): EditPlan {
  const patches: ElfPatch[] = [];
  let moves: Moves = { dynamicMoves: false };

  if (edit.interpreter !== undefined && edit.interpreter !== file.interpreter) {
    const segment = requireSegment(file, segmentType.interpreter, 'interpreter');
    const text = new TextEncoder().encode(`${edit.interpreter}\0`);
    if (text.length > segment.fileSize) moves = { ...moves, interpreter: text };
    else {
      const padded = new Uint8Array(segment.fileSize);
      padded.set(text);
      patches.push({ offset: segment.offset, bytes: padded });
    }
  }
  if (edit.rpath !== undefined) {
    const segment = requireSegment(file, segmentType.dynamic, 'dynamic section');
    const plan = planRpath(reader, file, edit.rpath);
    patches.push(...plan.patches);
    moves = {
      ...moves,
      dynamic: plan.dynamic,
      dynamicMoves: plan.dynamic.length > dynamicRoom(reader, file, segment),
      ...(plan.strings !== undefined && { strings: plan.strings }),
    };
  }
  if (moves.interpreter === undefined && moves.strings === undefined && !moves.dynamicMoves) {
    if (moves.dynamic !== undefined) patches.push(dynamicInPlace(file, moves.dynamic));
    return { length: reader.bytes.length, patches };
  }
  const added = planSegment(reader, file, moves);
  return { length: added.length, patches: [...patches, ...added.patches] };
}

/** A segment with, in this order, program headers, dynamic section, interpreter, strings. */
function planSegment(reader: ElfReader, file: ElfFile, moves: Moves): EditPlan {
  const place = placeSegment(file, reader.bytes.length);
  const { header } = file;
  const headersSize = (header.programHeaderCount + 1) * programHeaderSize;
  const dynamicSize = moves.dynamicMoves ? encodeDynamic(moves.dynamic ?? []).length : 0;
  const interpreterAt = headersSize + dynamicSize;
  const stringsAt = interpreterAt + (moves.interpreter?.length ?? 0);
  const size = stringsAt + (moves.strings?.length ?? 0);

  const partAt = (start: number, length: number): Part => ({
    offset: place.offset + start,
    address: place.virtualAddress + start,
    size: length,
  });
  const headers = partAt(0, headersSize);
  const dynamic = moves.dynamicMoves ? partAt(headersSize, dynamicSize) : undefined;
  const interpreter = moves.interpreter && partAt(interpreterAt, moves.interpreter.length);
  const strings = moves.strings && partAt(stringsAt, moves.strings.length);

  const moved = new Map<number, Part>([[segmentType.programHeaders, headers]]);
  if (dynamic !== undefined) moved.set(segmentType.dynamic, dynamic);
  if (interpreter !== undefined) moved.set(segmentType.interpreter, interpreter);
  const added: ProgramHeader = {
    ...segmentOf(partAt(0, size)),
    type: segmentType.load,
    // The loader writes into the dynamic section (DT_DEBUG, and older ones relocate it).
    flags: segmentFlag.read + (moves.dynamicMoves ? segmentFlag.write : 0),
    align: place.align,
  };
  const lastLoad = file.programHeaders.findLastIndex(({ type }) => type === segmentType.load);
  const programHeaders = file.programHeaders
    .map((segment) => {
      const part = moved.get(segment.type);
      return part === undefined ? segment : { ...segment, ...segmentOf(part) };
    })
    .toSpliced(lastLoad + 1, 0, added);

  const patches: ElfPatch[] = [
    { offset: 32, bytes: encodeU64s([headers.offset]) },
    { offset: 56, bytes: encodeU64s([header.programHeaderCount + 1]).subarray(0, 2) },
    { offset: headers.offset, bytes: encodeProgramHeaders(programHeaders) },
    ...sectionPatches(file, { dynamic, interpreter, strings }),
  ];
  if (interpreter !== undefined && moves.interpreter !== undefined) {
    patches.push({ offset: interpreter.offset, bytes: moves.interpreter });
  }
  if (strings !== undefined && moves.strings !== undefined) {
    patches.push({ offset: strings.offset, bytes: moves.strings });
  }
  if (moves.dynamic !== undefined) {
    const entries = moves.dynamic.map((entry) => withStrings(entry, strings));
    if (dynamic === undefined) patches.push(dynamicInPlace(file, entries));
    else {
      patches.push({ offset: dynamic.offset, bytes: encodeDynamic(entries) });
      patches.push(...globalOffsetTablePatches(reader, file, dynamic.address));
    }
  }
  return { length: place.offset + size, patches };
}

interface Part {
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

function segmentOf(part: Part): Omit<ProgramHeader, 'type' | 'flags' | 'align'> {
  return {
    offset: part.offset,
    virtualAddress: part.address,
    physicalAddress: BigInt(part.address),
    fileSize: part.size,
    memorySize: part.size,
  };
}

function withStrings(entry: DynamicEntry, strings: Part | undefined): DynamicEntry {
  if (strings === undefined) return entry;
  if (entry.tag === dynamicTag.stringTable) return { ...entry, value: BigInt(strings.address) };
  if (entry.tag === dynamicTag.stringTableSize) return { ...entry, value: BigInt(strings.size) };
  return entry;
}

function dynamicInPlace(file: ElfFile, entries: readonly DynamicEntry[]): ElfPatch {
  const { offset } = requireSegment(file, segmentType.dynamic, 'dynamic section');
  const bytes = new Uint8Array(
    (Math.max(entries.length, file.dynamic.length) + 1) * dynamicEntrySize,
  );
  bytes.set(encodeDynamic(entries));
  return { offset, bytes };
}

/** How many entries fit before a DT_NULL; linkers leave some zero entries after the first one. */
function dynamicRoom(reader: ElfReader, file: ElfFile, segment: ProgramHeader): number {
  const end = segment.offset + segment.fileSize;
  let room = file.dynamic.length;
  for (;;) {
    const at = segment.offset + (room + 1) * dynamicEntrySize;
    if (at + dynamicEntrySize > end) return room;
    const entry = reader.slice(at, { size: dynamicEntrySize, what: 'spare dynamic entry' });
    if (entry.some((byte) => byte !== 0)) return room;
    room += 1;
  }
}

/** Section headers that describe what moved, as debuggers and binutils go by them. */
function sectionPatches(
  file: ElfFile,
  parts: {
    readonly dynamic: Part | undefined;
    readonly interpreter: Part | undefined;
    readonly strings: Part | undefined;
  },
): readonly ElfPatch[] {
  const { header, programHeaders, sectionHeaders } = file;
  const interpreter = programHeaders.find(({ type }) => type === segmentType.interpreter);
  const strings = Number(dynamicValue(file.dynamic, dynamicTag.stringTable) ?? -1n);
  return sectionHeaders.flatMap((section: SectionHeader, index) => {
    const part =
      section.type === sectionType.dynamic
        ? parts.dynamic
        : section.type === sectionType.stringTable && section.address === strings
          ? parts.strings
          : section.type === sectionType.programBits && section.offset === interpreter?.offset
            ? parts.interpreter
            : undefined;
    if (part === undefined) return [];
    // sh_addr, sh_offset and sh_size follow each other.
    const offset = header.sectionHeaderOffset + index * sectionHeaderSize + 16;
    return [{ offset, bytes: encodeU64s([part.address, part.offset, part.size]) }];
  });
}

// psABI: the first entry of the table that DT_PLTGOT names may be the address of _DYNAMIC.
function globalOffsetTablePatches(
  reader: ElfReader,
  file: ElfFile,
  address: number,
): readonly ElfPatch[] {
  const old = requireSegment(file, segmentType.dynamic, 'dynamic section').virtualAddress;
  const table = dynamicValue(file.dynamic, dynamicTag.pltGot);
  if (table === undefined) return [];
  const offset = findOffset(file.programHeaders, Number(table), 8);
  if (offset === undefined || reader.u64(offset, 'DT_PLTGOT') !== BigInt(old)) return [];
  return [{ offset, bytes: encodeU64s([address]) }];
}

function requireSegment(file: ElfFile, type: number, what: string): ProgramHeader {
  const segment = file.programHeaders.find((candidate) => candidate.type === type);
  if (file.linking === 'dynamic' && segment !== undefined && segment.fileSize > 0) return segment;
  throw new TaplineError(
    'elf_not_editable',
    `a ${file.linking} ELF file of kind ${file.kind} has no ${what} to edit`,
    { hint: 'leave static files, and the interpreter of libraries, as they are' },
  );
}

// Linux takes an interpreter of at most PATH_MAX bytes with its NUL.
const maxInterpreterBytes = 4095;

function checkEdit(edit: ElfEdit): void {
  const { interpreter, rpath } = edit;
  if (interpreter !== undefined) {
    checkText('interpreter', interpreter);
    const { length } = new TextEncoder().encode(interpreter);
    if (length > maxInterpreterBytes) {
      throw invalidEdit(`interpreter of ${length} bytes exceeds ${maxInterpreterBytes}`);
    }
  }
  if (rpath !== undefined && rpath.kind !== 'none') checkText(rpath.kind, rpath.value);
}

function checkText(what: string, text: string): void {
  if (text === '' || text.includes('\0')) {
    throw invalidEdit(`${what} ${JSON.stringify(text.slice(0, 300))} is empty or has a NUL`);
  }
}

function invalidEdit(what: string): TaplineError {
  return new TaplineError('elf_edit_invalid', what);
}
