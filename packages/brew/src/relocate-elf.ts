import { editElf, type ElfEdit, type ElfFile, parseElf } from '@tapline/elf';
import { interpreter } from './prefix.ts';
import { relocateRpath } from './relocate-rpath.ts';

export interface RelocatedElf {
  /** The input itself where nothing had to change. */
  readonly bytes: Uint8Array;
  readonly needed: readonly string[];
  readonly soname?: string;
}

/**
 * An ELF file as poured. Undefined for what Homebrew leaves alone: static files and files that are
 * neither executable nor shared library.
 */
export function relocateElf(
  bytes: Uint8Array,
  options: { readonly formula: string },
): RelocatedElf | undefined {
  const elf = parseElf(bytes);
  if (elf.linking === 'static') return undefined;
  const edit = planElfEdit(elf, options.formula);
  return {
    bytes: edit === undefined ? bytes : editElf(bytes, edit),
    needed: elf.needed,
    ...(elf.soname !== undefined && { soname: elf.soname }),
  };
}

function planElfEdit(elf: ElfFile, formula: string): ElfEdit | undefined {
  // A loader that is itself relocated no longer starts: keg_relocate.rb, "breaks it".
  if (/^glibc(@\d+(\.\d+)*)?$/.test(formula)) return undefined;
  const kind = elf.runpath === undefined ? 'rpath' : 'runpath';
  const old = elf.runpath ?? elf.rpath;
  const value = old === undefined ? undefined : relocateRpath(old, { formula });
  const edit: ElfEdit = {
    ...(elf.interpreter !== undefined && elf.interpreter !== interpreter && { interpreter }),
    ...(value !== undefined && value !== old && { rpath: { kind, value } }),
  };
  return Object.keys(edit).length === 0 ? undefined : edit;
}
