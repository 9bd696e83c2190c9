import type { LayerDirectory } from '../files/layer.ts';
import { nodeAt } from './node-at.ts';

/** Where a command is: by its path, or by PATH of its environment. */
export function findProgram(
  files: LayerDirectory,
  command: string,
  env: readonly string[],
): string {
  if (command.includes('/')) return command;
  const path = env.findLast((variable) => variable.startsWith('PATH='))?.slice('PATH='.length);
  const places = (path ?? '').split(':').map((folder) => `${folder}/${command}`);
  return places.find((place) => isThere(files, place)) ?? command;
}

function isThere(files: LayerDirectory, place: string): boolean {
  const node = nodeAt(files, place);
  return node !== undefined && node.kind !== 'directory';
}
