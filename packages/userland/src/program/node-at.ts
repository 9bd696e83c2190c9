import { byteString } from '../byte-string.ts';
import type { LayerDirectory, LayerNode } from '../files/layer.ts';

const mostLinks = 40;

/** What a path leads to in a layer, links followed; undefined where that is nothing. */
export function nodeAt(files: LayerDirectory, path: string, links = 0): LayerNode | undefined {
  let node: LayerNode | undefined = files;
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  for (const [index, name] of names.entries()) {
    if (node?.kind !== 'directory') return undefined;
    node = node.list().get(byteString(name));
    if (node?.kind !== 'link') continue;
    const rest = names.slice(index + 1).join('/');
    const before = node.target.startsWith('/') ? '' : names.slice(0, index).join('/');
    if (links >= mostLinks) return undefined;
    return nodeAt(files, withoutParents(`${before}/${node.target}/${rest}`), links + 1);
  }
  return node;
}

function withoutParents(path: string): string {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '') names.push(name);
  }
  return names.join('/');
}
