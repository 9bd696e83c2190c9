import { isElf } from '@tapline/elf';
import { isTaplineError, TaplineError } from '@tapline/base';
import { openjdkOf, placeholderValues } from './placeholders.ts';
import { relocateElf } from './relocate-elf.ts';
import { relocateText } from './relocate-text.ts';
import type { Tab } from './tab.ts';

/**
 * Raised whenever the bytes that relocation makes of a bottle could change, which includes what
 * `editElf` writes: layers are kept under it.
 */
export const relocatorVersion = 3;

export interface BottledFile {
  /** Relative to the keg. */
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly formula: string;
  /** Names, direct or not; which JDK scripts get depends on them. */
  readonly dependencies: readonly string[];
  readonly tab: Tab;
}

/** A file as it stands in the Cellar, and the libraries it wants. */
export interface RelocatedFile {
  readonly kind: 'unchanged' | 'replaced';
  readonly bytes: Uint8Array;
  readonly needed: readonly string[];
  readonly soname?: string;
  /** Why a file that begins like ELF was left as it is. */
  readonly refused?: string;
}

/**
 * A file of a bottle as Homebrew pours it on Linux. Throws `relocation_failed` for a program or
 * library that the prefix links to and that could not run.
 */
export function relocateFile(file: BottledFile): RelocatedFile {
  const { bytes } = file;
  if (isElf(bytes)) return relocateAnyElf(file);
  if (!mayHoldPlaceholders(file)) return { kind: 'unchanged', bytes, needed: [] };
  const values = placeholderValues(openjdkOf(file.dependencies));
  const relocated = relocateText(bytes, values);
  return { kind: kindOf(relocated, bytes), bytes: relocated, needed: [] };
}

/** Whether relocation has to see the whole of a file, given how it begins. */
export function needsRelocation(
  file: Pick<BottledFile, 'path' | 'tab'> & { readonly start: Uint8Array },
): boolean {
  return isElf(file.start) || mayHoldPlaceholders({ ...file, bytes: file.start });
}

/** A list of changed files is complete; without one, all that is not binary is searched. */
function mayHoldPlaceholders(file: Pick<BottledFile, 'path' | 'tab' | 'bytes'>): boolean {
  const { changedFiles } = file.tab;
  return changedFiles === undefined
    ? file.bytes.subarray(0, sniffBytes).indexOf(0) < 0
    : changedFiles.has(file.path);
}

/** How much of a file tells text from binary; git looks at as much. */
export const sniffBytes = 8000;

/**
 * Bottles carry ELF files as data: firmware, other machines' programs, damaged ones that test a
 * parser. What cannot be loaded here is not touched, as Homebrew does not touch it.
 */
function relocateAnyElf({ path, bytes, formula }: BottledFile): RelocatedFile {
  try {
    const elf = relocateElf(bytes, { formula });
    if (elf === undefined) return { kind: 'unchanged', bytes, needed: [] };
    return { ...elf, kind: kindOf(elf.bytes, bytes) };
  } catch (cause) {
    if (!isTaplineError(cause) || !cause.code.startsWith('elf_')) throw cause;
    if (cause.code !== 'elf_unsupported' && /^(bin|sbin|lib)\/[^/]+$/.test(path)) {
      throw new TaplineError(
        'relocation_failed',
        `${path} of ${formula} cannot be relocated: ${cause.message}`,
        { cause, details: { formula, path } },
      );
    }
    return { kind: 'unchanged', bytes, needed: [], refused: cause.message };
  }
}

function kindOf(after: Uint8Array, before: Uint8Array): 'unchanged' | 'replaced' {
  return after === before ? 'unchanged' : 'replaced';
}
