import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { taplineMain } from './support/run-tapline.ts';

// On standard error, as it ends: what was loaded of the bundle.
const listLoaded = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  const loaded = new Set();
  registerHooks({
    load(url, context, next) {
      if (url.startsWith('file:')) loaded.add(url);
      return next(url, context);
    },
  });
  process.on('exit', () => process._rawDebug('loaded ' + JSON.stringify([...loaded])));
`)}`;

/** Bytes of program that a command loads until it ends, here without a control plane. */
async function bytesLoadedBy(command: readonly string[], says: string): Promise<number> {
  await using folder = await temporaryFolder();
  const { PATH = '' } = process.env;
  const output = await new Promise<string>((resolve) => {
    execFile(
      process.execPath,
      ['--import', listLoaded, taplineMain, ...command],
      { env: { PATH, HOME: folder.path } },
      (_error, stdout, stderr) => resolve(stdout + stderr),
    );
  });
  expect(output).toContain(says);
  const list = /^loaded (.*)$/m.exec(output)?.[1] ?? '[]';
  const urls = JSON.parse(list) as readonly string[];
  expect(urls.length).toBeGreaterThan(5);
  return urls.reduce((sum, url) => sum + statSync(fileURLToPath(url)).size, 0);
}

describe('a short command loads what it uses, and no control plane', () => {
  test.each(['get devices', 'describe device d', 'delete device d', 'logs d', 'channel url news'])(
    'tapline %s',
    async (command) => {
      const bytes = await bytesLoadedBy(command.split(' '), '[no_control_plane]');
      expect(bytes).toBeLessThan(600_000);
    },
  );

  test('and tapline version not even the kinds of resources', async () => {
    expect(await bytesLoadedBy(['version'], 'tapline ')).toBeLessThan(100_000);
  });
});
