import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { eventually, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { mountsBelow, processesOf } from './support/containers.ts';
import { systemUnavailable } from './support/requirements.ts';
import { taplineMain } from './support/run-tapline.ts';

const unavailable = await systemUnavailable();

describe.skipIf(unavailable !== undefined)(`tapline demo ${unavailable ?? ''}`, () => {
  interface Demo {
    readonly code: number | null;
    readonly out: string;
    readonly err: string;
  }

  /** Runs the demo in a folder of its own, and checks that it leaves that empty. */
  async function runDemo(interruptAt?: RegExp): Promise<Demo> {
    await using folder = await temporaryFolder();
    const child = spawn(process.execPath, [taplineMain, 'demo'], {
      env: { ...process.env, TMPDIR: folder.path },
    });
    let out = '';
    let err = '';
    let interrupted = false;
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      out += chunk;
      if (interrupted || interruptAt?.test(out) !== true) return;
      interrupted = true;
      child.kill('SIGINT');
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (err += chunk));
    const [code] = (await once(child, 'close')) as [number | null];
    const left = (): readonly string[] => [
      ...processesOf(folder.path),
      ...mountsBelow(folder.path),
      ...readdirSync(folder.path),
    ];
    await eventually(`nothing is left: ${left().join('; ')}`, () => left().length === 0, {
      withinMs: 5000,
    });
    return { code, out, err };
  }

  test(
    'shows a delivery from beginning to end, and leaves nothing',
    { timeout: 120_000 },
    async () => {
      const { code, out, err } = await runDemo();
      expect(err).toContain('health_check_failed');
      expect(code).toBe(0);
      const stages = [
        'resolved',
        'built',
        'published',
        'notified',
        'pulled',
        'unpacked',
        'started',
        'ready',
      ];
      const [waterfall = ''] = /jq 1\.6 is ready on 2 devices[^]*?total/.exec(out) ?? [];
      for (const stage of stages)
        expect(waterfall).toMatch(new RegExp(`^  ${stage} .*[█▏▎▍▌▋▊▉]`, 'm'));
      expect(out).toContain('{"ipad-1":41,"edge-1":38}');
      expect(out).toMatch(/RolledBack .* health_check_failed/);
      expect(out).toMatch(/jq-1\.6\n/);
      expect(out).toMatch(/done in [\d.]+ s/);
    },
  );

  test.each([
    ['while the control plane starts', /a control plane on loopback/],
    ['in the middle of the first delivery', /# cold/],
    ['while a version goes back', /a version that cannot start/],
  ])('stopped %s, it says so and leaves nothing', { timeout: 60_000 }, async (_when, at) => {
    const { code, err } = await runDemo(at);
    expect(err).toContain('the demo was stopped; nothing is left behind [interrupted]');
    expect(code).toBe(130);
  });
});
