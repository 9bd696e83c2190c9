/** A formula the mirror offers by name; libraries that it needs become formulae by themselves. */
export interface CatalogueEntry {
  readonly name: string;
  /** Debian packages that make up the keg, besides the libraries of the same source. */
  readonly packages: readonly string[];
  readonly aliases?: readonly string[];
  readonly oldnames?: readonly string[];
  /** Homebrew's revision: `1` makes the package version `8.2_1`. */
  readonly revision?: number;
  /** Homebrew's rebuild: `1` makes the tag `6.9.8-1`. */
  readonly rebuild?: number;
  /** Formulae it depends on without linking to them. */
  readonly dependencies?: readonly string[];
  /** Whether one bottle serves every platform (`all`). */
  readonly all?: boolean;
  /** Whether the bottle carries its INSTALL_RECEIPT.json; most of Homebrew's do not. */
  readonly receipt?: boolean;
}

/** Formulae that are always there on Linux and that no formula lists (Homebrew: implicit). */
export const implicitFormulae: readonly string[] = ['glibc', 'gcc'];

export const catalogue: readonly CatalogueEntry[] = [
  { name: 'glibc', packages: ['libc6', 'libc-bin'] },
  { name: 'gcc', packages: ['libgcc-s1', 'libstdc++6', 'libgomp1', 'libatomic1'] },
  { name: 'zlib', packages: ['zlib1g', 'zlib1g-dev'] },
  {
    name: 'oniguruma',
    packages: ['libonig5', 'libonig-dev'],
    rebuild: 1,
    receipt: true,
  },
  { name: 'jq', packages: ['jq', 'libjq1', 'libjq-dev'] },
  { name: 'pcre2', packages: ['libpcre2-8-0', 'libpcre2-dev', 'pcre2-utils'] },
  {
    name: 'ncurses',
    packages: ['libncursesw6', 'libncurses6', 'libncurses-dev', 'ncurses-bin', 'ncurses-base'],
  },
  { name: 'readline', packages: ['libreadline8', 'readline-common'], revision: 1 },
  { name: 'bash', packages: ['bash'] },
  { name: 'coreutils', packages: ['coreutils'] },
  { name: 'sqlite', packages: ['sqlite3', 'libsqlite3-0'], aliases: ['sqlite3'] },
  {
    name: 'openssl@3',
    packages: ['openssl', 'libssl3'],
    aliases: ['openssl'],
    dependencies: ['ca-certificates'],
  },
  { name: 'ca-certificates', packages: ['ca-certificates'], all: true },
  { name: 'curl', packages: ['curl', 'libcurl4'] },
  { name: 'git', packages: ['git', 'git-man'] },
  { name: 'gawk', packages: ['gawk'] },
  { name: 'bzip2', packages: ['bzip2', 'libbz2-1.0'] },
  { name: 'tree', packages: ['tree'], receipt: true },
  { name: 'hello', packages: ['hello'] },
];

/** Versions that are not current: reachable by tag, as on ghcr.io, but not in the API. */
export const otherVersions: readonly { readonly name: string; readonly suite: 'trixie' }[] = [
  // Built against glibc 2.41: fails to start with bookworm's, which is what it is here for.
  { name: 'jq', suite: 'trixie' },
];
