import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startProcess, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { rawClient, sha256Of } from './testing/raw-client.ts';

const program = fileURLToPath(new URL('testing/registry-server-process.ts', import.meta.url));
const canMount =
  process.platform === 'linux' && spawnSync('unshare', ['--mount', 'true']).status === 0;

/** A registry whose folder is a file system of 24 MiB, in a mount namespace of its own. */
function startOnSmallDisk(folder: string, reserveBytes: number): ReturnType<typeof startProcess> {
  const script = `mount -t tmpfs -o size=24m tmpfs ${folder} && exec "$0" "$@"`;
  const options = JSON.stringify({ reserveBytes, graceMs: 0 });
  return startProcess(
    'unshare',
    ['--mount', 'sh', '-c', script, process.execPath, program, folder, options],
    { readyLine: /listening (\d+)/ },
  );
}

describe.skipIf(!canMount)('a full disk (needs a mount namespace)', () => {
  test.each([
    ['with a reserve', 2 * 1024 * 1024],
    ['to its last byte', 0],
  ])(
    '%s is answered with 507, and the upload goes on once there is room',
    async (_name, reserve) => {
      await using folder = await temporaryFolder();
      await using server = await startOnSmallDisk(folder.path, reserve);
      const client = rawClient(`http://127.0.0.1:${server.ready?.[1] ?? ''}`);
      const filler = Buffer.alloc(14 * 1024 * 1024, 'filler');
      expect((await client.pushBlob('a', filler)).status).toBe(201);
      const wanted = Buffer.alloc(12 * 1024 * 1024, 'wanted');
      const location = await client.openUpload('b');
      const refused = await fetch(client.at(location), { method: 'PATCH', body: wanted });
      expect(refused.status).toBe(507);
      expect(await refused.json()).toMatchObject({ errors: [{ code: 'INSUFFICIENT_STORAGE' }] });
      const status = await fetch(client.at(location));
      const stands = Number(status.headers.get('range')?.split('-')[1]) + 1;
      expect(stands).toBeGreaterThan(1024 * 1024);
      expect(stands).toBeLessThan(wanted.length);
      // What is there is served all the while.
      const read = await fetch(client.at(`/v2/a/blobs/${sha256Of(filler)}`));
      expect(sha256Of(Buffer.from(await read.arrayBuffer()))).toBe(sha256Of(filler));
      // Somebody makes room: here by removing a file.
      execFileSync('nsenter', [
        '--mount',
        `--target=${server.pid}`,
        'rm',
        `${folder.path}/content/blobs/sha256/${sha256Of(filler).slice(7)}`,
      ]);
      const rest = await fetch(client.at(location), {
        method: 'PATCH',
        body: wanted.subarray(stands),
        headers: { 'content-range': `${stands}-${wanted.length - 1}` },
      });
      expect(rest.status).toBe(202);
      const done = await fetch(client.at(`${location}?digest=${sha256Of(wanted)}`), {
        method: 'PUT',
      });
      expect(done.status).toBe(201);
    },
  );
});
