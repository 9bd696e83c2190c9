import type { PrefixTree } from './prefix-tree.ts';

/** The paths that match a pattern as Ruby's `Dir.glob` has it, in order; a plain path is itself. */
export function globPaths(tree: PrefixTree, pattern: string): readonly string[] {
  if (!/[*?[{]/.test(pattern)) return [pattern];
  return [...new Set(alternatives(pattern).flatMap((path) => expand(tree, path)))];
}

/** `a{b,c}` → `ab`, `ac`. */
function alternatives(pattern: string): readonly string[] {
  const match = /^(.*?)\{([^{}]*)\}(.*)$/s.exec(pattern);
  if (match === null) return [pattern];
  const [, before = '', inside = '', after = ''] = match;
  return inside.split(',').flatMap((choice) => alternatives(`${before}${choice}${after}`));
}

function expand(tree: PrefixTree, pattern: string): readonly string[] {
  let found = [''];
  for (const segment of pattern.split('/').filter((name) => name !== '')) {
    found =
      segment === '**'
        ? found.flatMap((path) => [path, ...descendants(tree, path)])
        : found.flatMap((path) => matching(tree, path, segment));
  }
  return found.filter((path) => tree.findLink(path) !== undefined);
}

function matching(tree: PrefixTree, path: string, segment: string): readonly string[] {
  if (!/[*?[]/.test(segment)) return [`${path}/${segment}`];
  const folder = path === '' ? tree.root : tree.find(path);
  if (folder?.kind !== 'directory') return [];
  const expression = segmentExpression(segment);
  return [...folder.children.keys()]
    .filter((name) => expression.test(name) && (!name.startsWith('.') || segment.startsWith('.')))
    .toSorted()
    .map((name) => `${path}/${name}`);
}

/** Folders below, hidden ones and links to folders left out. */
function descendants(tree: PrefixTree, path: string): readonly string[] {
  const folder = path === '' ? tree.root : tree.find(path);
  if (folder?.kind !== 'directory') return [];
  return [...folder.children]
    .filter(([name, node]) => node.kind === 'directory' && !name.startsWith('.'))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name]) => [`${path}/${name}`, ...descendants(tree, `${path}/${name}`)]);
}

function segmentExpression(segment: string): RegExp {
  const source = segment.replaceAll(/\[[^\]]+\]|[\s\S]/g, (part) => {
    if (part === '*') return '.*';
    if (part === '?') return '.';
    if (part.length > 1) return part.replace(/^\[[!^]/, '[^').replaceAll('\\', '\\\\');
    return part.replaceAll(/[\\^$.+()[\]{}|]/g, '\\$&');
  });
  return new RegExp(`^${source}$`, 's');
}
