import type { ServedNode } from '@tapline/guest-page';
import type { LayerDirectory, LayerNode } from '@tapline/userland';
import type { ServedContent, ShellContent } from './shell-content.ts';

/**
 * A folder, node by node, below `folder/`: `nodes` is its root, `nodes/N` what is in a folder,
 * `content/N` the bytes of a file. Only what was listed has a number, so nothing outside of the folder
 * can be asked for.
 */
export function folderContent(root: LayerDirectory): ShellContent {
  const nodes: LayerNode[] = [];
  const numbers = new Map<LayerNode, number>();
  const numberOf = (node: LayerNode): number => {
    const number = numbers.get(node) ?? nodes.push(node) - 1;
    numbers.set(node, number);
    return number;
  };
  const describe = (node: LayerNode): ServedNode => {
    const { kind, mode, uid, gid, modifiedMs } = node;
    const base = { kind, node: numberOf(node), mode, uid, gid, modifiedMs };
    switch (node.kind) {
      case 'file':
        return { ...base, size: node.size };
      case 'link':
        return { ...base, target: node.target };
      case 'directory':
        return base;
    }
  };

  function find(path: string): ServedContent | undefined {
    if (path === 'folder/nodes') return json(describe(root));
    const [, what, digits] = /^folder\/(nodes|content)\/(\d{1,9})$/.exec(path) ?? [];
    const node = nodes[Number(digits)];
    if (what === 'nodes' && node?.kind === 'directory') {
      return json(
        Object.fromEntries(Array.from(node.list(), ([name, each]) => [name, describe(each)])),
      );
    }
    if (what !== 'content' || node?.kind !== 'file') return undefined;
    return { type: 'application/octet-stream', body: node.load(), immutable: false };
  }
  return {
    get: (path) => Promise.resolve(find(path)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function json(value: unknown): ServedContent {
  const body = new TextEncoder().encode(JSON.stringify(value));
  return { type: 'application/json', body, immutable: false };
}
