import type { Clock } from '@tapline/base';
import { type LayerDirectory, nodeAt, storedCodeName } from '@tapline/userland';
import { openCodeSeal } from './code-seal.ts';
import { openCodeShelf } from './code-shelf.ts';
import { openPageCode, type PageCode } from './page-code.ts';

/** Where code of a page's programs is kept, and comes from. */
export interface CodeSource {
  /** Known to the page's server and to its pages alone. */
  readonly key: string;
  /** Ends with a slash; below it the server has code by name. */
  readonly served?: string;
}

/** A browser whose storage does not answer keeps nothing. */
const shelfWithinMs = 2000;

/** The code of a program, by the digest of its file; undefined where that cannot be computed. */
export async function openProgramCode(
  source: CodeSource,
  program: { readonly files: LayerDirectory; readonly path: string; readonly clock: Clock },
): Promise<PageCode | undefined> {
  const seal = await openCodeSeal(source.key);
  const node = nodeAt(program.files, program.path);
  if (seal === undefined || node?.kind !== 'file') return undefined;
  const late = program.clock.sleep(shelfWithinMs).then(() => undefined);
  const shelf = Promise.race([openCodeShelf().catch(() => undefined), late]);
  const file = node.load().slice();
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', file));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const opened = await shelf;
  return await openPageCode({
    name: storedCodeName(hex),
    kept: opened && { shelf: opened, seal },
    async fetchServed(name) {
      if (source.served === undefined) return undefined;
      const response = await fetch(source.served + name);
      return response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined;
    },
    clock: program.clock,
  });
}
