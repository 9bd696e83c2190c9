import { copyFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const source = join(fileURLToPath(import.meta.url), '../../packages/guest-page/src');

/** Bundles the page of `tapline wasm-shell`, and the worker that it starts, into a folder. */
export async function buildPage(folder: string): Promise<void> {
  const entries = {
    shell: join(source, 'shell/main.ts'),
    'machine-worker': join(source, 'machine/machine-worker.ts'),
  };
  for (const [name, path] of Object.entries(entries)) {
    // One file each: a worker of several would ask for each of them when it starts.
    await using bundle = await rolldown({
      input: { [name]: path },
      platform: 'browser',
      logLevel: 'warn',
    });
    await bundle.write({ dir: folder, format: 'esm', sourcemap: false, minify: true });
  }
  const { resolve } = createRequire(join(source, 'index.ts'));
  await copyFile(resolve('@xterm/xterm/css/xterm.css'), join(folder, 'xterm.css'));
  for (const name of ['index.html', 'shell.css']) {
    await copyFile(join(source, 'shell', name), join(folder, name));
  }
}
