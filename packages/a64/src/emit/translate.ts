import { buildModule, moduleIndex, type ModuleFunction } from './build-module.ts';
import { DecodedWords } from './decoded-words.ts';
import type { BranchTargets, ReadWord } from './find-blocks.ts';
import { sharedFunctions } from './shared-functions.ts';
import { isTranslatable, translateFunction } from './translate-function.ts';
import { tableFunctions } from './table-functions.ts';

export interface Translation {
  /** A module, whose functions for `entries` go to the table in their order. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly entries: readonly number[];
  /** Places within functions that are seldom come to from outside: loops, targets of tables of branches. */
  readonly inside: ReadonlySet<number>;
}

/** Functions of one module, which call each other directly; those that cannot be are left out. */
export function translate(
  entries: readonly number[],
  code: { readonly readWord: ReadWord; readonly branchTargets?: BranchTargets },
): Translation {
  const { readWord } = code;
  const words = new DecodedWords();
  const known = [...new Set(entries)].filter((entry) => isTranslatable(entry, { readWord, words }));
  const indexes = new Map(
    known.map((entry, index) => [entry, moduleIndex.firstGuestFunction + index]),
  );
  const functions: ModuleFunction[] = [...sharedFunctions()];
  const inside = new Set<number>();
  const functionIndex = (pc: number): number | undefined => indexes.get(pc);
  for (const entry of known) {
    const translated = translateFunction(entry, { ...code, words, functionIndex });
    const { code: bytes, unlikely } = translated;
    functions.push({ code: bytes, type: 'guest', unlikely });
    for (const place of translated.inside) inside.add(place);
  }
  return { bytes: buildModule(functions), entries: known, inside };
}

/** What each machine has in its table from the beginning. */
export function startModule(): Uint8Array<ArrayBuffer> {
  return buildModule([...sharedFunctions(), ...tableFunctions()]);
}
