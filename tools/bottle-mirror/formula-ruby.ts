import type { FormulaPlan } from './plan-formulae.ts';

/** The formula file that a bottle carries in `.brew/`. */
export function formulaRuby(plan: FormulaPlan, dependencies: readonly string[]): string {
  const source = plan.packages[0];
  const lines = [
    `class ${rubyClassName(plan.entry.name)} < Formula`,
    `  desc ${JSON.stringify(source?.description ?? '')}`,
    `  homepage ${JSON.stringify(source?.homepage ?? '')}`,
    `  version ${JSON.stringify(plan.version)}`,
    ...((plan.entry.revision ?? 0) > 0 ? [`  revision ${plan.entry.revision}`] : []),
    ...dependencies.map((name) => `  depends_on ${JSON.stringify(name)}`),
    'end',
    '',
  ];
  return lines.join('\n');
}

/** Homebrew's Formulary.class_s: `openssl@3` → `OpensslAT3`. */
function rubyClassName(name: string): string {
  return name
    .replaceAll(/(?:^|[-_.])([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
    .replaceAll('+', 'x')
    .replace(/@(\d)/, 'AT$1')
    .replaceAll('.', '');
}
