import { dynamicTag } from './elf-constants.ts';
import type { DynamicEntry, ElfFile } from './elf-file.ts';
import type { ElfPatch } from './elf-patch.ts';
import type { ElfReader } from './elf-reader.ts';
import { malformed } from './malformed.ts';
import { readDynamicStrings } from './read-dynamic.ts';
import { stringReferences } from './string-references.ts';

export type RpathEdit =
  | { readonly kind: 'rpath' | 'runpath'; readonly value: string }
  | { readonly kind: 'none' };

export interface RpathPlan {
  /** Changes within the string table where it lies. */
  readonly patches: readonly ElfPatch[];
  readonly dynamic: readonly DynamicEntry[];
  /** A longer string table, when the new value fits nowhere in the old one. */
  readonly strings?: Uint8Array;
}

/** Which strings and entries say the new search path; addresses of moved parts are not set yet. */
export function planRpath(reader: ElfReader, file: ElfFile, edit: RpathEdit): RpathPlan {
  const table = readDynamicStrings(reader, file);
  if (table === undefined) throw malformed('no dynamic string table', 0);
  const olds = file.dynamic.filter(isSearchPath).map(({ value }) => Number(value));
  const places = oldPlaces(table.bytes, { olds, references: () => stringReferences(reader, file) });

  if (edit.kind === 'none') {
    return {
      patches: places.map((place) => patchOf(table.offset, place, new Uint8Array())),
      dynamic: file.dynamic.filter((entry) => !isSearchPath(entry)),
    };
  }

  const tag = dynamicTag[edit.kind];
  const value = new TextEncoder().encode(edit.value);
  const current = olds.find((index) => equalsString(table.bytes, index, value));
  if (current !== undefined) {
    return { patches: [], dynamic: withSearchPath(file.dynamic, { tag, index: current }) };
  }
  const home = places.find((place) => place.length >= value.length);
  // Of the old value nothing stays: it may name a directory that does not exist any more.
  const patches = places.map((place) =>
    patchOf(table.offset, place, place === home ? value : new Uint8Array()),
  );
  if (home !== undefined) {
    return { patches, dynamic: withSearchPath(file.dynamic, { tag, index: home.index }) };
  }
  const strings = new Uint8Array(table.bytes.length + value.length + 1);
  strings.set(table.bytes);
  for (const { offset, bytes } of patches) strings.set(bytes, offset - table.offset);
  strings.set(value, table.bytes.length);
  const index = table.bytes.length;
  return { patches, dynamic: withSearchPath(file.dynamic, { tag, index }), strings };
}

function isSearchPath({ tag }: DynamicEntry): boolean {
  return tag === dynamicTag.rpath || tag === dynamicTag.runpath;
}

/** The entries with one search path, where the first one was or else at the end. */
function withSearchPath(
  entries: readonly DynamicEntry[],
  path: { readonly tag: number; readonly index: number },
): readonly DynamicEntry[] {
  const entry: DynamicEntry = { tag: path.tag, value: BigInt(path.index) };
  const at = entries.findIndex(isSearchPath);
  const others = entries.filter((other) => !isSearchPath(other));
  return others.toSpliced(at < 0 ? others.length : at, 0, entry);
}

interface Place {
  readonly index: number;
  readonly length: number;
}

/** The old values that nothing else in the file points into, nor into what surrounds them. */
function oldPlaces(
  table: Uint8Array,
  used: {
    readonly olds: readonly number[];
    readonly references: () => readonly number[] | undefined;
  },
): readonly Place[] {
  if (used.olds.length === 0) return [];
  const references = used.references();
  if (references === undefined) return [];
  return [...new Set(used.olds)]
    .map((index) => ({ index, length: table.indexOf(0, index) - index }))
    .filter(({ index, length }) => {
      const start = index === 0 ? 0 : table.lastIndexOf(0, index - 1) + 1;
      const own = used.olds.filter((old) => old === index).length;
      const users = references.filter((other) => other >= start && other <= index + length);
      // Index 0 is the empty string by definition (gABI, "String Table").
      return index > 0 && users.length === own;
    });
}

function patchOf(tableOffset: number, place: Place, value: Uint8Array): ElfPatch {
  const bytes = new Uint8Array(place.length);
  bytes.set(value);
  return { offset: tableOffset + place.index, bytes };
}

function equalsString(table: Uint8Array, index: number, value: Uint8Array): boolean {
  return table[index + value.length] === 0 && value.every((byte, at) => table[index + at] === byte);
}
