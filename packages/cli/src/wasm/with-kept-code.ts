import { readKeptCode } from '@tapline/runtimes';
import type { ShellContent } from './shell-content.ts';

/** Serves translated code of a folder, too, by its name below `code/`: what `tapline run-wasm` kept. */
export function withKeptCode(content: ShellContent, folder: string): ShellContent {
  return {
    async get(path) {
      const [, name] = /^code\/([\w-]+)$/.exec(path) ?? [];
      if (name === undefined) return await content.get(path);
      const body = await readKeptCode(folder, name);
      return body && { type: 'application/octet-stream', body, immutable: false };
    },
    [Symbol.asyncDispose]: () => content[Symbol.asyncDispose](),
  };
}
