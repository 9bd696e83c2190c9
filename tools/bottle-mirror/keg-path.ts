export interface KegPathOptions {
  readonly formula: string;
  readonly triplet: string;
}

/** Folder of gcc's run-time libraries in its keg; `lib/gcc/current` links to it. */
export const gccLibFolder = 'lib/gcc/12';

/**
 * Where a file of a Debian package lies in a keg, or undefined for what Homebrew has no use for.
 * `path` is relative to the file system's root. What Homebrew installs into its own `etc` and
 * `var` travels in `.bottle`.
 */
export function kegPath(path: string, options: KegPathOptions): string | undefined {
  const { formula, triplet } = options;
  const libFolder = formula === 'gcc' ? gccLibFolder : 'lib';
  // First match wins; `/lib` and `/usr/lib` are one folder in Debian and in a keg.
  const rules: readonly (readonly [RegExp, string | undefined])[] = [
    [/^usr\/share\/(lintian|bug|doc-base|menu)(\/|$)/, undefined],
    [new RegExp(`^(usr/)?lib/${triplet}/`), `${libFolder}/`],
    [/^(usr\/)?lib64\//, `${libFolder}/`],
    [/^usr\/lib\/git-core\//, 'libexec/git-core/'],
    [/^(usr\/)?lib\/terminfo\//, 'share/terminfo/'],
    [/^(usr\/)?lib\//, `${libFolder}/`],
    [new RegExp(`^usr/include/${triplet}/`), 'include/'],
    [/^usr\/include\//, 'include/'],
    [/^(usr\/)?bin\//, 'bin/'],
    [/^usr\/games\//, 'bin/'],
    [/^(usr\/)?sbin\//, 'sbin/'],
    [/^usr\/libexec\//, 'libexec/'],
    [/^usr\/share\//, 'share/'],
    [/^etc\/ssl\//, `.bottle/etc/${formula}/`],
    [/^etc\//, '.bottle/etc/'],
    [/^var\//, '.bottle/var/'],
  ];
  const rule = rules.find(([pattern]) => pattern.test(path));
  if (rule?.[1] === undefined) return undefined;
  return path.replace(rule[0], rule[1]);
}
