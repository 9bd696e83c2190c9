/** What linking does with a path of a keg: skip it, link it, or make it a real directory. */
export type LinkStrategy = 'skip' | 'link' | 'directory';

/** The folders of a keg that are linked into the prefix, in Homebrew's order. */
export const linkedFolders = ['etc', 'bin', 'sbin', 'include', 'share', 'lib'] as const;
export type LinkedFolder = (typeof linkedFolders)[number];

const localeDirectory = /(locale|man)\/([a-z]{2}|C|POSIX)(_[A-Z]{2})?(\.[a-zA-Z\-0-9]+(@.+)?)?/;
const sharedInShare = new Set(
  `aclocal cps doc info java locale man man/man1 man/man2 man/man3 man/man4 man/man5 man/man6 man/man7
  man/man8 man/cat1 man/cat2 man/cat3 man/cat4 man/cat5 man/cat6 man/cat7 man/cat8 applications
  gnome gnome/help icons mime mime/packages mime-info pixmaps sounds postgresql`.split(/\s+/),
);
const directoryInShare = /^(icons\/|zsh|fish|pwsh|lua\/|guile\/|postgresql@\d+|pypy)/;
const directoryInLib =
  /^((cps|pkgconfig|cmake|dtrace|ghc|php)$|gdk-pixbuf|gio|lua|mecab|node|ocaml|perl5|postgresql@\d+|pypy|python[23]\.\d+|R|ruby)/;

/** `keg.rb#link`: how the directory `path`, relative to `folder`, is linked. */
export function directoryStrategy(folder: LinkedFolder, path: string): LinkStrategy {
  if (path.endsWith('.app')) return 'skip';
  switch (folder) {
    case 'etc':
      return 'directory';
    case 'bin':
    case 'sbin':
      return 'skip';
    case 'include':
      return /^postgresql@\d+/.test(path) ? 'directory' : 'link';
    case 'share':
      return localeDirectory.test(path) || directoryInShare.test(path) || sharedInShare.has(path)
        ? 'directory'
        : 'link';
    case 'lib':
      return directoryInLib.test(path) ? 'directory' : 'link';
  }
}

/** `keg.rb#link_dir`: whether the file `path`, relative to `folder`, is linked. */
export function fileStrategy(folder: LinkedFolder, path: string): LinkStrategy {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (name === '.DS_Store') return 'skip';
  // Python writes these itself, and one that is in the way stops the next link.
  if (/\.py[co]$/.test(name) && `/${path}`.includes('/site-packages/')) return 'skip';
  if (folder === 'lib' && path === 'charset.alias') return 'skip';
  if (folder === 'share') {
    if (path === 'locale/locale.alias' || /^icons\/.*\/icon-theme\.cache$/.test(path))
      return 'skip';
    if (/(^|\/)info\/dir$/.test(path)) return 'skip';
  }
  return 'link';
}
