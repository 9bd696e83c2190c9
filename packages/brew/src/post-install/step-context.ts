import { imageUser } from '../image-user.ts';
import { cellar, prefix } from '../prefix.ts';
import type { PathSpec } from './install-step.ts';
import { StepFailure } from './step-failure.ts';

/** What a formula's steps mean by their bases and tokens (`install_steps.rb`, `Runner`). */
export interface StepContext {
  readonly name: string;
  /** Without revision. */
  readonly version: string;
  readonly pkgVersion: string;
}

/** The absolute path of a spec. Throws {@link StepFailure} for a base that is not known. */
export function resolveSpec(context: StepContext, spec: PathSpec): string {
  const path = expandTokens(context, spec.path);
  const { base } = spec;
  if (base === undefined || base === 'absolute') {
    if (path.startsWith('/')) return path;
    throw new StepFailure(`${path} is relative to no place`);
  }
  return `${baseOf(context, base, spec.formula)}/${path}`;
}

/** `{{token}}` → its value; what is no token stays as it is. */
export function expandTokens(context: StepContext, text: string): string {
  return text.replaceAll(/\{\{([A-Za-z_][\w.]*)\}\}/g, (whole, token: string) => {
    return tokenValue(context, token) ?? whole;
  });
}

function tokenValue(context: StepContext, token: string): string | undefined {
  const [, major = '', minor] = /^(\d+)(?:\.(\d+))?/.exec(context.version) ?? [];
  switch (token) {
    case 'HOMEBREW_PREFIX':
      return prefix;
    case 'HOMEBREW_CELLAR':
      return cellar;
    case 'HOMEBREW_BREW_FILE':
      return `${prefix}/bin/brew`;
    case 'formula_name':
    case 'name':
      return context.name;
    case 'user':
      return imageUser.name;
    case 'version':
      return context.version;
    case 'version.major':
      return major;
    case 'version.major_minor':
      return minor === undefined ? major : `${major}.${minor}`;
    default:
      return places(context).get(token);
  }
}

function baseOf(context: StepContext, base: string, formula: string | undefined): string {
  switch (base) {
    case 'homebrew_prefix':
      return prefix;
    case 'formula_pkgetc':
    case 'formula_opt_prefix': {
      if (formula === undefined) throw new StepFailure(`base ${base} names no formula`);
      const name = formula.slice(formula.lastIndexOf('/') + 1);
      return base === 'formula_pkgetc' ? `${prefix}/etc/${name}` : `${prefix}/opt/${name}`;
    }
    default: {
      const place = places(context).get(base);
      if (place === undefined) throw new StepFailure(`base ${base} is not known`);
      return place;
    }
  }
}

/** Places of a formula by the names of its methods (`formula.rb`). */
function places({ name, pkgVersion }: StepContext): ReadonlyMap<string, string> {
  const keg = `${cellar}/${name}/${pkgVersion}`;
  const opt = `${prefix}/opt/${name}`;
  const folders = ['bin', 'sbin', 'lib', 'libexec', 'share', 'include', 'frameworks'];
  return new Map([
    ['prefix', keg],
    ['opt_prefix', opt],
    ...folders.map((folder): [string, string] => [folder, `${keg}/${folder}`]),
    ...folders.map((folder): [string, string] => [`opt_${folder}`, `${opt}/${folder}`]),
    ['frameworks', `${keg}/Frameworks`],
    ['opt_frameworks', `${opt}/Frameworks`],
    ['pkgshare', `${keg}/share/${name}`],
    ['opt_pkgshare', `${opt}/share/${name}`],
    ['doc', `${keg}/share/doc/${name}`],
    ['info', `${keg}/share/info`],
    ['man', `${keg}/share/man`],
    ...[1, 2, 3, 4, 5, 6, 7, 8].map((n): [string, string] => [
      `man${n}`,
      `${keg}/share/man/man${n}`,
    ]),
    ['bash_completion', `${keg}/etc/bash_completion.d`],
    ['zsh_completion', `${keg}/share/zsh/site-functions`],
    ['zsh_function', `${keg}/share/zsh/site-functions`],
    ['fish_completion', `${keg}/share/fish/vendor_completions.d`],
    ['fish_function', `${keg}/share/fish/vendor_functions.d`],
    ['pwsh_completion', `${keg}/share/pwsh/completions`],
    ['rack', `${cellar}/${name}`],
    ['var', `${prefix}/var`],
    ['etc', `${prefix}/etc`],
    ['pkgetc', `${prefix}/etc/${name}`],
    ['temp', '/tmp'],
  ]);
}
