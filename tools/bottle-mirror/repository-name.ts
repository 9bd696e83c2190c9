/** A formula's name in the registry (brew: GitHubPackages.image_formula_name). */
export function repositoryName(formula: string): string {
  return formula.replaceAll('@', '/').replaceAll('+', 'x');
}
