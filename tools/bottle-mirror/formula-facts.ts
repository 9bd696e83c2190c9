import { readFile } from 'node:fs/promises';

/** What homebrew-core says of a formula (`formula-facts.json`, made by update-formula-facts.ts). */
export interface FormulaFacts {
  readonly desc: string | null;
  readonly license: string | null;
  readonly homepage: string | null;
  readonly kegOnly: boolean;
  readonly linkOverwrite: boolean;
  /** As on Linux, without what macOS supplies. */
  readonly dependencies: readonly string[];
  readonly usesFromMacos: readonly string[];
  /** Whether Homebrew bottles it for Linux alone. */
  readonly linuxOnly: boolean;
  /** Whether some formula in homebrew-core takes it from macOS. */
  readonly suppliedByMacos: boolean;
}

export async function readFormulaFacts(): Promise<ReadonlyMap<string, FormulaFacts>> {
  const text = await readFile(new URL('formula-facts.json', import.meta.url), 'utf8');
  const parsed = JSON.parse(text) as { formulae: Record<string, FormulaFacts> };
  return new Map(Object.entries(parsed.formulae));
}
