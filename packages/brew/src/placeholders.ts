import { cellar, library, prefix, repository } from './prefix.ts';

export const prefixPlaceholder = '@@HOMEBREW_PREFIX@@';
export const cellarPlaceholder = '@@HOMEBREW_CELLAR@@';

/** What bottles say in place of paths, and what takes its place (`keg_relocate.rb`). */
export function placeholderValues(openjdk: string | undefined): ReadonlyMap<string, string> {
  const values = new Map([
    [prefixPlaceholder, prefix],
    [cellarPlaceholder, cellar],
    ['@@HOMEBREW_REPOSITORY@@', repository],
    ['@@HOMEBREW_LIBRARY@@', library],
    ['@@HOMEBREW_PERL@@', `${prefix}/opt/perl/bin/perl`],
  ]);
  if (openjdk !== undefined) values.set('@@HOMEBREW_JAVA@@', `${prefix}/opt/${openjdk}/libexec`);
  return values;
}

/** The JDK that a keg's scripts run on: the first of its dependencies that is one. */
export function openjdkOf(dependencies: readonly string[]): string | undefined {
  return dependencies.find((name) => /^openjdk(@\d+(\.\d+)*)?$/.test(name));
}
