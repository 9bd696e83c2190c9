import { browserProgram, haveProgram } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { runTapline } from '../support/run-tapline.ts';

// Three nodes, FFmpeg and a browser for half a minute: by command, and not with every change.
const needs = [
  ...(process.env['TAPLINE_LONG_TESTS'] === undefined ? ['TAPLINE_LONG_TESTS=1'] : []),
  ...(process.platform === 'linux' ? [] : ['Linux']),
  ...(haveProgram('ffmpeg') ? [] : ['ffmpeg']),
  ...(browserProgram() === undefined ? ['chromium-headless-shell'] : []),
];
const unavailable = needs.length === 0 ? undefined : `(needs ${needs.join(', ')})`;

describe.skipIf(unavailable !== undefined)(`tapline demo channel ${unavailable ?? ''}`, () => {
  test('plays a live channel while the node that it comes from is killed', async () => {
    const { code, out, err } = await runTapline(['demo', 'channel'], { timeoutMs: 140_000 });
    expect({ code, err }).toMatchObject({ code: 0 });
    expect(out).toMatch(/the picture (did not stand still|stood still for \d+ ms)/);
    const [, ms = '0'] = /stood still for (\d+) ms/.exec(out) ?? [];
    expect(Number(ms)).toBeLessThanOrEqual(2000);
    expect(out).toMatch(/the channel is whole again.*\n[^]*\ndone\n$/);
  }, 150_000);
});
