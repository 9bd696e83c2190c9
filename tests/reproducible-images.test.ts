import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { haveProgram, temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';
import { startBottleMirror } from '../tools/bottle-mirror/bottle-mirror.ts';
import { debianUnavailable } from '../tools/debian/debian-unavailable.ts';
import { taplineMain } from './support/run-tapline.ts';

const run = promisify(execFile);
const missing = haveProgram('faketime') ? undefined : '(needs faketime)';
const unavailable = missing ?? (await debianUnavailable());

interface Surroundings {
  readonly umask: string;
  readonly zone: string;
  readonly locale: string;
  readonly time: readonly string[];
}

test.skipIf(unavailable !== undefined)(
  `an image is the same in another folder, at another time, under another umask and locale ${unavailable ?? ''}`,
  { timeout: 120_000 },
  async () => {
    await using folder = await temporaryFolder();
    await using mirror = await startBottleMirror({ formulae: ['jq'] });

    async function build(name: string, around: Surroundings): Promise<string> {
      const home = join(folder.path, name);
      const tmp = join(home, 'tmp');
      await mkdir(tmp, { recursive: true });
      const words = [
        taplineMain,
        'brew2oci',
        'jq',
        '--output',
        join(home, 'out'),
        '--format',
        'json',
      ];
      const command = [...around.time, process.execPath, ...words, '--sbom', '--file-index'];
      const script = `umask ${around.umask}; exec "$@"`;
      const { stdout } = await run('sh', ['-c', script, 'sh', ...command], {
        cwd: home,
        env: {
          ...process.env,
          ...mirror.environment,
          HOME: home,
          XDG_CACHE_HOME: join(home, 'cache'),
          TMPDIR: tmp,
          TZ: around.zone,
          LC_ALL: around.locale,
          LANG: around.locale,
        },
      });
      const { digest, images, referrers } = JSON.parse(stdout) as Record<string, unknown>;
      return JSON.stringify({ digest, images, referrers });
    }

    const here = await build('here', { umask: '022', zone: 'UTC', locale: 'C.UTF-8', time: [] });
    const there = await build('there', {
      umask: '077',
      zone: 'Pacific/Kiritimati',
      locale: 'tr_TR.UTF-8',
      time: ['faketime', '-f', '+500d'],
    });
    expect(there).toBe(here);
    expect(here).toMatch(/"digest":"sha256:/);
  },
);
