import { execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { haveProgram, type TemporaryFolder, temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type BottleMirror,
  startBottleMirror,
} from '../../../tools/bottle-mirror/bottle-mirror.ts';
import { debianUnavailable } from '../../../tools/debian/debian-unavailable.ts';
import type { BuiltImage } from './built-image.ts';
import { amd64, openTestBuilder, type TestBuilder } from './testing/open-test-builder.ts';
import { startContainerd } from './testing/start-containerd.ts';
import { writeOciLayout } from './write-oci-layout.ts';

const run = promisify(execFile);
const unavailable =
  process.arch === 'x64' && process.getuid?.() === 0
    ? await debianUnavailable('amd64')
    : '(skipped: needs root on amd64)';

/** The output of a program that is given `input`. */
function feed(
  program: string,
  words: readonly string[],
  { input, cwd }: { readonly input: string; readonly cwd?: string },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, cwd === undefined ? {} : { cwd });
    let out = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')));
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(out) : reject(new Error(`${program} ended with ${code}: ${errors}`)),
    );
    child.stdin.end(input);
  });
}

function lacking(...programs: readonly string[]): string {
  const missing = programs.filter((program) => !haveProgram(program));
  return missing.length === 0 ? '' : `(skipped: no ${missing.join(', ')})`;
}

describe.skipIf(unavailable !== undefined).each([
  { compression: 'gzip', maxLayers: 120 },
  { compression: 'zstd', maxLayers: 3 },
] as const)(
  `jq in $compression with at most $maxLayers layers ${unavailable ?? ''}`,
  ({ compression, maxLayers }) => {
    let mirror: BottleMirror;
    let folder: TemporaryFolder;
    let opened: TestBuilder;
    let image: BuiltImage;
    let archive: string;
    let layout: string;

    beforeAll(async () => {
      mirror = await startBottleMirror({ formulae: ['jq'], platforms: ['x86_64_linux'] });
      folder = await temporaryFolder();
      opened = await openTestBuilder(folder.path, mirror.environment);
      image = await opened.builder.build({
        formula: 'jq',
        platforms: [amd64],
        compression,
        maxLayers,
      });
      layout = join(folder.path, 'layout');
      await writeOciLayout(opened.store, image, { directory: layout, refName: 'jq' });
      archive = join(folder.path, 'image.tar');
      await run('tar', ['-cf', archive, '-C', layout, '.']);
    }, 120_000);
    afterAll(async () => {
      await opened?.[Symbol.asyncDispose]();
      await folder?.[Symbol.asyncDispose]();
      await mirror?.[Symbol.asyncDispose]();
    });

    test('has the layers that were asked for', () => {
      expect(image.images[0]?.layers).toHaveLength(Math.min(maxLayers, 4));
    });

    const noPodman = lacking('podman');
    test.skipIf(noPodman !== '')(`podman runs it ${noPodman}`, { timeout: 120_000 }, async () => {
      const root = join(folder.path, 'podman');
      const storage = ['--root', join(root, 'root'), '--runroot', join(root, 'run')];
      const flags = [
        ...storage,
        '--storage-driver',
        'vfs',
        '--cgroup-manager',
        'cgroupfs',
        '--runtime',
        'runc',
      ];
      const { stdout } = await run('podman', [...flags, 'load', '-q', '-i', archive]);
      const name = stdout.trim().replace(/^Loaded image: /, '');
      const words = [
        'run',
        '--rm',
        '-i',
        '--network=none',
        // Its defaults are more than some machines allow.
        '--ulimit=nofile=1024:1024',
        '--ulimit=nproc=1024:1024',
        name,
        '-c',
        '.a',
      ];
      expect(await feed('podman', [...flags, ...words], { input: '{"a":[1]}' })).toBe('[1]\n');
      await run('podman', [...flags, 'rmi', '--all', '--force']);
    });

    const noContainerd = lacking('containerd', 'ctr', 'containerd-shim-runc-v2', 'runc');
    test.skipIf(noContainerd !== '')(
      `containerd runs it ${noContainerd}`,
      { timeout: 120_000 },
      async () => {
        await using daemon = await startContainerd(folder.path);
        const { ctr } = daemon;
        const snapshotter = ['--snapshotter', 'native'];
        await ctr('image', 'import', '--base-name', 'tapline/jq', ...snapshotter, archive);
        const words = ['run', '--rm', ...snapshotter, 'tapline/jq:jq', `jq-${process.pid}`];
        expect(await ctr(...words, 'jq', '-cn', '[3]')).toBe('[3]\n');
      },
    );

    const noUmoci = lacking('umoci', 'runc');
    // Debian's umoci is older than layers in zstd.
    test.skipIf(noUmoci !== '' || compression === 'zstd')(
      `umoci unpacks it and runc runs it ${noUmoci}`,
      { timeout: 60_000 },
      async () => {
        const bundle = join(folder.path, 'bundle');
        await run('umoci', ['unpack', `--image=${layout}:jq`, bundle]);
        const path = join(bundle, 'config.json');
        const config = JSON.parse(await readFile(path, 'utf8')) as {
          process: { terminal: boolean; args: string[] };
          linux: { namespaces: { type: string }[]; resources?: object };
        };
        config.process.terminal = false;
        config.process.args.push('-c', '.a');
        delete config.linux.resources;
        await writeFile(path, JSON.stringify(config));
        const id = `jq-${process.pid}`;
        const words = ['--root', join(folder.path, 'runc'), 'run', id];
        expect(await feed('runc', words, { input: '{"a":[2]}', cwd: bundle })).toBe('[2]\n');
      },
    );
  },
);
