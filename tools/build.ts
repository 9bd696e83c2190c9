import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Plugin, rolldown } from 'rolldown';
import { buildPage } from './build-page.ts';

/**
 * Bundles the program that `./tapline` runs: `dist/tapline` is a link to `dist/build-<hash of the
 * sources>`. An agent from the bundle takes half the memory of one from the sources, and a short
 * command half the time (docs/decisions/0010-bundle.md).
 */
const root = join(fileURLToPath(import.meta.url), '..', '..');
const dist = join(root, 'dist');
const dayMs = 86_400_000;

/**
 * Modules of ours do nothing when they are loaded. A chunk that loads another, and takes nothing of
 * it, does so for parts of a package that it does not use: `tapline apply` would load the control
 * plane, for the one part of the client that is in its process.
 */
const leanChunks: Plugin = {
  name: 'lean-chunks',
  generateBundle(_options, files) {
    const isOurs = (name: string): boolean => {
      const file = files[name];
      return file?.type === 'chunk' && file.moduleIds.every((id) => !id.includes('node_modules'));
    };
    for (const file of Object.values(files)) {
      if (file.type !== 'chunk') continue;
      file.code = file.code.replaceAll(/\bimport"\.\/([^"]+)";?/g, (whole, name: string) =>
        isOurs(name) ? '' : whole,
      );
    }
  },
};

/**
 * An import of `node:http` by name makes all that Node has to offer there, undici among it: 13 MiB of a
 * process and 30 ms of a command. Asked for by hand, only what is used is made.
 */
const lazyHttp: Plugin = {
  name: 'lazy-http',
  generateBundle(_options, files) {
    for (const file of Object.values(files)) {
      if (file.type !== 'chunk') continue;
      file.code = file.code.replaceAll(
        /\bimport\s*\{([^}]*)\}\s*from\s*"node:http";?/g,
        (_whole, names: string) =>
          `const{${names.replaceAll(/\s+as\s+/g, ':')}}=process.getBuiltinModule("node:http");`,
      );
    }
  },
};

/** One letter beyond Latin-1 makes a program's text, which stays in memory, two bytes a letter. */
const asciiOnly: Plugin = {
  name: 'ascii-only',
  generateBundle(_options, files) {
    for (const file of Object.values(files)) {
      if (file.type !== 'chunk') continue;
      file.code = file.code.replaceAll(
        // By code units, as escapes in texts, patterns and names are.
        /[\u0080-\uffff]/g,
        (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
    }
  },
};

const sources = (await readdir(join(root, 'packages'), { recursive: true, withFileTypes: true }))
  .filter(
    (entry) =>
      entry.isFile() && /\.(ts|html|css)$/.test(entry.name) && !entry.name.endsWith('.test.ts'),
  )
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((path) => path.includes('/src/') && !path.includes('/src/testing/'))
  .toSorted();
const hash = createHash('sha256');
const others = ['package-lock.json', 'tools/build.ts', 'tools/build-page.ts'];
for (const path of [...sources, ...others.map((name) => join(root, name))]) {
  hash.update(path.slice(root.length)).update(await readFile(path));
}
const name = `build-${hash.digest('hex').slice(0, 16)}`;
const target = join(dist, name);

if (!existsSync(join(target, 'main.js'))) {
  // Beside its place and then renamed: two builds at once, or a killed one, leave no half of one.
  const partial = join(dist, `${name}.${process.pid}`);
  await using bundle = await rolldown({
    input: {
      main: join(root, 'packages/cli/src/main.ts'),
      'journal-thread': join(root, 'packages/store/src/journal-thread.ts'),
      'macsec-program': join(root, 'packages/fabric/src/userspace/macsec-program.ts'),
      'datapath-thread': join(root, 'packages/fabric/src/userspace/datapath-thread.ts'),
      'layer-thread': join(root, 'packages/builder/src/layer-thread.ts'),
      'catalog-thread': join(root, 'packages/registry/src/catalog/catalog-thread.ts'),
      'guest-program': join(root, 'packages/runtimes/src/wasm/guest-program.ts'),
      'port-holder': join(root, 'packages/agent/src/ports/port-holder-main.ts'),
      'fabric-helper': join(root, 'packages/fabric/src/helper/main.ts'),
    },
    platform: 'node',
    logLevel: 'warn',
    // Of ours only what is used: a package's index names everything that it has.
    treeshake: { moduleSideEffects: (id) => !id.startsWith(join(root, 'packages')) },
    plugins: [leanChunks, lazyHttp, asciiOnly],
  });
  await bundle.write({
    dir: partial,
    format: 'esm',
    sourcemap: false,
    minify: { compress: true, mangle: false },
    chunkFileNames: '[name]-[hash].js',
    codeSplitting: {
      groups: [
        // Apart from what uses it, as it does something when it is loaded (see leanChunks).
        { name: 'connect', test: /node_modules\/@(connectrpc|bufbuild)\// },
        // All kinds are asked for together: forty files to find and read take longer than one.
        { name: 'resources', test: /packages\/resources\/src\// },
        { name: 'base', test: /packages\/base\/src\//, priority: 1 },
      ],
    },
  });
  await buildPage(join(partial, 'page'));
  await rename(partial, target).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    await rm(partial, { recursive: true });
  });
}

// The link is touched even where nothing was built: its age says up to when sources were looked at.
const link = join(dist, `link.${process.pid}`);
await symlink(name, link);
await rename(link, join(dist, 'tapline'));

// Programs that still run load further chunks from older builds, so those stay for a while.
for (const other of await readdir(dist)) {
  if (!other.startsWith('build-') || other === name) continue;
  const { mtimeMs } = await stat(join(dist, other));
  if (Date.now() - mtimeMs > dayMs) await rm(join(dist, other), { recursive: true, force: true });
}
