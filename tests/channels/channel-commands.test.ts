import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { join } from 'node:path';
import { loadKubeconfig } from '@tapline/client';
import { haveProgram } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { startSmallOrigin } from './small-origin.ts';
import { startChannelSystem } from './start-channel-system.ts';

// A dozen commands, each a process: by command, and not with every change.
const needs = [
  ...(process.env['TAPLINE_LONG_TESTS'] === undefined ? ['TAPLINE_LONG_TESTS=1'] : []),
  ...(process.platform === 'linux' ? [] : ['Linux']),
  ...(process.getuid?.() === 0 ? [] : ['root']),
  ...(haveProgram('openssl') ? [] : ['openssl']),
];
const unavailable = needs.length === 0 ? undefined : `(needs ${needs.join(', ')})`;

describe.skipIf(unavailable !== undefined)(`commands of channels ${unavailable ?? ''}`, () => {
  test('show, flush, prime, onboard and drain what players get', async () => {
    await using origin = await startSmallOrigin();
    await using system = await startChannelSystem(['e1', 'e2']);
    await system.apply(`
apiVersion: tapline.dev/v1alpha1
kind: Channel
metadata: { name: news }
spec:
  origin: { url: '${origin.url}' }
  edges: { replicas: 1, leaveSeconds: 1 }
  cache: { limits: { diskBytes: 300000 } }
  objectives: { hitRatio: 0.5 }
`);
    const ready = await system.until('news', 'it is ready', ({ status }) => {
      return status?.step === 'Ready' && status.storage !== undefined;
    });
    const tapline = async (...words: readonly string[]): Promise<string> => {
      const { code, out, err } = await system.tapline(words);
      expect({ words, code, err }).toMatchObject({ code: 0 });
      return out;
    };
    const table = await tapline('get', 'channels');
    const [head = '', row = ''] = table.split('\n');
    for (const column of ['READY', 'STEP', 'SEGMENT', 'CACHED', 'PRIMED', 'VALIDATED', 'DISK']) {
      expect(head).toContain(column);
    }
    expect(row).toMatch(/^news +True +Ready +1 +1 /);
    // Two segments of 200 kB in a limit of 300.
    expect(ready.status?.storage?.diskBytes).toBeLessThanOrEqual(300_000);

    const url = (await tapline('channel', 'url', 'news')).trim();
    const entry = await fetch(url);
    expect(entry.headers.get('content-type')).toContain('mpegurl');
    expect(await entry.text()).toContain('low/media.m3u8');
    const hits = await tapline('channel', 'hit-ratio', 'news');
    expect(hits).toMatch(/^EDGE +PLAYERS +HIT RATIO +VALIDATION +CONTENT +HEALTH +OTHER/);
    expect(hits).toMatch(/objective 50\.0 %/);

    const segment = new URL('../low/0.ts', url);
    const load = async (): Promise<string> => {
      const response = await fetch(segment);
      await response.arrayBuffer();
      return response.headers.get('cache-status') ?? '';
    };
    await load();
    expect(await load()).toMatch(/; hit/);
    expect(await tapline('channel', 'flush', 'news')).toBe('flushed on 1 edges\n');
    expect(await load()).toMatch(/; fwd=/);

    await tapline('channel', 'flush', 'news');
    const list = join(system.folder, 'top.txt');
    await writeFile(list, 'low/1.ts\n');
    expect(await tapline('channel', 'prime', 'news', '--list', list)).toMatch(/primed/);
    const before = origin.asked.get('/tv/low/1.ts');
    await (await fetch(new URL('../low/1.ts', url))).arrayBuffer();
    expect(origin.asked.get('/tv/low/1.ts')).toBe(before);

    const onboard = await tapline('channel', 'onboard', 'news', '--qr');
    expect(onboard).toMatch(/[█▀▄]/);
    const link = onboard.trim().split('\n').at(-1) ?? '';
    const { ca = '' } = await loadKubeconfig(system.controlPlane.kubeconfig);
    const profile = await download(link, ca);
    expect(profile.type).toBe('application/x-apple-aspen-config');
    const [signed, authority] = [join(system.folder, 'a.mobileconfig'), join(system.folder, 'ca')];
    await writeFile(signed, profile.bytes);
    await writeFile(authority, ca);
    const verify = (): string =>
      execFileSync(
        'openssl',
        ['cms', '-verify', '-inform', 'DER', '-in', signed, '-CAfile', authority],
        { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
      );
    expect(verify()).toContain(url);
    const at = profile.bytes.indexOf('webClip');
    profile.bytes[at === -1 ? 200 : at] = 0x41;
    await writeFile(signed, profile.bytes);
    expect(verify).toThrow('Command failed');

    const [edge] = ready.status?.edges ?? [];
    const node = edge?.node ?? '';
    expect(await tapline('drain', node, '--timeout', '60s')).toContain(`node ${node} is drained`);
    const moved = (await tapline('channel', 'url', 'news')).trim();
    expect(new URL(moved).host).not.toBe(new URL(url).host);
    expect((await fetch(moved)).status).toBe(200);
  }, 180_000);
});

function download(
  url: string,
  ca: string,
): Promise<{ readonly type: string | undefined; readonly bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    get(url, { ca }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ type: response.headers['content-type'], bytes: Buffer.concat(chunks) }),
      );
    }).on('error', reject);
  });
}
