/**
 * The command a package is for, of its executables (`bin/jq`): the one named like the formula
 * (`python@3.14` may say `python`, `python3.14` or `python3`), the only one, or the first by name.
 */
export function mainCommand(formula: string, executables: readonly string[]): string | undefined {
  const [base = formula, version = ''] = formula.split('@');
  const [major = ''] = version.split('.');
  for (const name of [
    formula,
    base,
    `${base}${version}`,
    `${base}-${version}`,
    `${base}${major}`,
  ]) {
    const found = executables.find((path) => path.slice(path.lastIndexOf('/') + 1) === name);
    if (found !== undefined) return found;
  }
  // coreutils has one called `[`.
  return executables.find((path) => /\/[A-Za-z0-9][^/]*$/.test(path)) ?? executables[0];
}
