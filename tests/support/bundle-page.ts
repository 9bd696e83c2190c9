import { join } from 'node:path';
import type { PageFile } from '@tapline/testing';
import { rolldown } from 'rolldown';

const entry = 'page-entry';
const root = join(import.meta.dirname, '../..');

/**
 * Modules for a page of what `script` imports, by their URLs below `base`; the first is the page itself.
 * Whatever imports something of Node's fails the build: a page has none of it.
 */
export async function bundlePage(
  script: string,
  { base }: { readonly base: string },
): Promise<ReadonlyMap<string, PageFile>> {
  await using bundle = await rolldown({
    input: { main: entry },
    platform: 'browser',
    logLevel: 'silent',
    // Packages' indexes name what only Node has; a page takes what it uses.
    treeshake: { moduleSideEffects: false },
    external: [/^node:/],
    plugins: [
      {
        name: 'page',
        resolveId: (id) => (id === entry ? join(root, 'tests', `${entry}.ts`) : undefined),
        load: (id) => (id.endsWith(`${entry}.ts`) ? script : undefined),
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'esm', entryFileNames: 'main.js' });
  const files = new Map<string, PageFile>();
  files.set(base, {
    type: 'text/html',
    body: '<!doctype html><meta charset="utf-8"><title>page</title><script type="module" src="main.js"></script>',
  });
  for (const chunk of output) {
    if (chunk.type !== 'chunk') continue;
    const nodes = [...chunk.imports, ...chunk.dynamicImports].filter((name) =>
      name.startsWith('node:'),
    );
    if (nodes.length > 0)
      throw new Error(`${chunk.fileName} of the page imports ${nodes.join(', ')}`);
    files.set(new URL(chunk.fileName, base).href, { type: 'text/javascript', body: chunk.code });
  }
  return files;
}
