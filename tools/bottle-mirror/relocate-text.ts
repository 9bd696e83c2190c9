export interface RelocateTextOptions {
  readonly formula: string;
  readonly pkgVersion: string;
  readonly triplet: string;
  /** Names in the keg's `bin`, to tell which interpreters are its own. */
  readonly programs: ReadonlySet<string>;
}

/**
 * Replaces Debian's paths by Homebrew's placeholders in a text file of a keg, as if the formula had
 * been configured with the keg as its prefix. Returns the text unchanged when it names none.
 */
export function relocateText(path: string, text: string, options: RelocateTextOptions): string {
  const { formula, pkgVersion, triplet, programs } = options;
  const keg = `@@HOMEBREW_CELLAR@@/${formula}/${pkgVersion}`;
  let result = text.replace(/^#! ?\/(?:usr\/)?bin\/(\S+)/, (line, program: string) => {
    if (program === 'perl') return '#!@@HOMEBREW_PERL@@';
    return programs.has(program) ? `#!@@HOMEBREW_PREFIX@@/opt/${formula}/bin/${program}` : line;
  });
  if (/\.pc$|-config$|\.cmake$/.test(path)) {
    result = result
      .replaceAll(`/lib/${triplet}`, '/lib')
      .replaceAll(`/include/${triplet}`, '/include')
      // The prefix alone or what lies below it, but not a path that merely ends so.
      .replaceAll(/(?<![\w}/.])\/usr(?=$|[/\s"':;])/gm, keg);
  }
  return result;
}

/** Whether Homebrew would look into the file: text by its first bytes, and not documentation. */
export function isRelocatableText(path: string, content: Buffer): boolean {
  if (/^share\/(doc|man|info|locale)\//.test(path) || content.length > 1024 * 1024) return false;
  return !content.subarray(0, 4096).includes(0);
}
