import { byteString } from '../byte-string.ts';
import type { LayerDirectory, LayerNode } from '../files/layer.ts';

/** Where a command is: by its path, or by PATH of its environment. */
export function findProgram(
  files: LayerDirectory,
  command: string,
  env: readonly string[],
): string {
  if (command.includes('/')) return command;
  const path = env.findLast((variable) => variable.startsWith('PATH='))?.slice('PATH='.length);
  const places = (path ?? '').split(':').map((folder) => `${folder}/${command}`);
  return places.find((place) => exists(files, place)) ?? command;
}

/** Links are followed where their folder is meant; what a last one leads to is found when it is run. */
function exists(files: LayerDirectory, path: string, links = 0): boolean {
  let node: LayerNode | undefined = files;
  const names = path.split('/').filter((name) => name !== '');
  for (const [index, name] of names.entries()) {
    if (node?.kind !== 'directory') return false;
    node = node.list().get(byteString(name));
    if (node?.kind !== 'link' || index === names.length - 1) continue;
    const rest = names.slice(index + 1).join('/');
    const before = node.target.startsWith('/') ? '' : names.slice(0, index).join('/');
    return links < 40 && exists(files, `${before}/${node.target}/${rest}`, links + 1);
  }
  return node !== undefined && node.kind !== 'directory';
}
