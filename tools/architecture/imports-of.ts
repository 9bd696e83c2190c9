const specifiers =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s*)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** The module specifiers a TypeScript file imports, statically, dynamically or by re-export. */
export function importsOf(source: string): readonly string[] {
  return [...source.matchAll(specifiers)].map((match) => match[1] ?? match[2] ?? '');
}
