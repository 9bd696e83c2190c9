import { TaplineError } from '@tapline/base';

/** What to change; what is left out stays as it is. */
export interface ElfEdit {
  readonly interpreter?: string;
  /** A search path in DT_RPATH or DT_RUNPATH (the other one goes), or none at all. */
  readonly rpath?:
    | { readonly kind: 'rpath' | 'runpath'; readonly value: string }
    | { readonly kind: 'none' };
}

/**
 * A copy of `bytes` with the edit made. In place where it fits, else with a new segment at the end.
 * Throws `elf_malformed`, `elf_unsupported`, or `elf_not_editable` (a static file).
 */
export function editElf(_bytes: Uint8Array, _edit: ElfEdit): Uint8Array {
  throw new TaplineError('not_implemented', 'editing ELF files comes with the next change');
}
