import { copyFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const packages = join(fileURLToPath(import.meta.url), '../../packages');
const guestPage = join(packages, 'guest-page/src');
const devicePage = join(packages, 'web-agent/src/page');
const consolePage = join(packages, 'ops-console/src/page');

/**
 * Bundles the page of `tapline wasm-shell`, and the worker that it starts, into a folder, into its folder
 * `device` the page in which a browser becomes a device, and into `console` the one of `tapline ops console`.
 */
export async function buildPage(folder: string): Promise<void> {
  await bundleForPage(join(guestPage, 'shell/main.ts'), join(folder, 'shell.js'));
  await bundleForPage(
    join(guestPage, 'machine/machine-worker.ts'),
    join(folder, 'machine-worker.js'),
  );
  for (const name of ['index.html', 'shell.css']) {
    await copyFile(join(guestPage, 'shell', name), join(folder, name));
  }
  const device = join(folder, 'device');
  await bundleForPage(join(devicePage, 'main.ts'), join(device, 'device.js'));
  const worker = join(guestPage, 'container/container-worker.ts');
  await bundleForPage(worker, join(device, 'container-worker.js'));
  for (const name of ['index.html', 'device.css']) {
    await copyFile(join(devicePage, name), join(device, name));
  }
  const opsConsole = join(folder, 'console');
  await bundleForPage(join(consolePage, 'main.ts'), join(opsConsole, 'console.js'));
  for (const name of ['index.html', 'console.css']) {
    await copyFile(join(consolePage, name), join(opsConsole, name));
  }
  const { resolve } = createRequire(join(guestPage, 'index.ts'));
  const styles = resolve('@xterm/xterm/css/xterm.css');
  for (const page of [folder, device]) await copyFile(styles, join(page, 'xterm.css'));
}

/** One file each: a worker of several would ask for each of them when it starts. */
export async function bundleForPage(entry: string, file: string): Promise<void> {
  await using made = await rolldown({
    input: entry,
    platform: 'browser',
    // What Node alone has is found below, where any of it is left.
    logLevel: 'silent',
    // WebKit knows no `using` yet.
    transform: { target: 'es2024' },
    // Packages' indexes name what only Node has; a page takes what it uses.
    treeshake: { moduleSideEffects: (id) => id.endsWith('provide-disposal.ts') },
    external: [/^node:/, 'prom-client'],
  });
  const { output } = await made.write({
    file,
    format: 'esm',
    sourcemap: false,
    minify: true,
    codeSplitting: false,
  });
  for (const chunk of output) {
    const left = chunk.type === 'chunk' ? chunk.imports : [];
    if (left.length > 0) throw new Error(`${file} imports ${left.join(', ')}`);
  }
}
