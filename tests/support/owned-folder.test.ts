import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { mountsBelow } from './containers.ts';
import { clearLeftovers, ownedFolder } from './owned-folder.ts';

const isRoot = process.getuid?.() === 0;
const owned = pathToFileURL(join(import.meta.dirname, 'owned-folder.ts')).href;

test.skipIf(!isRoot)(
  `what a test that was killed has left goes, and what lives stays ${isRoot ? '' : '(needs root)'}`,
  async () => {
    await using mine = await ownedFolder();
    // It makes a folder, tells where, and waits to be killed.
    const script = `
      const { ownedFolder } = await import(${JSON.stringify(owned)});
      const { path } = await ownedFolder();
      console.log(path);
      setInterval(() => {}, 1000);`;
    const words = ['--input-type=module', '-e', script];
    const killed = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(killed.stdout.setEncoding('utf8'), 'data')) as [string];
    const path = line.trim();
    const mount = join(path, 'mounted');
    await mkdir(mount);
    expect(spawnSync('mount', ['-t', 'tmpfs', 'tmpfs', mount]).status).toBe(0);
    const orphan = spawn('sleep', ['600'], { cwd: path, stdio: 'ignore' });
    // While its test runs nothing of it is touched.
    expect(await clearLeftovers()).not.toContain(path);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    const ended = once(orphan, 'exit');
    await clearLeftovers();
    expect(await ended).toEqual([null, 'SIGKILL']);
    expect(existsSync(path)).toBe(false);
    expect(mountsBelow(path)).toEqual([]);
    expect(existsSync(mine.path)).toBe(true);
  },
);
