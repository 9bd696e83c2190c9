import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { loadKubeconfig } from '@tapline/client';
import { createRegistryClient } from '@tapline/registry';
import { haveProgram, temporaryFolder, type TemporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type ControlPlaneProcess,
  startControlPlaneProcess,
} from '../support/control-plane-process.ts';
import { runTapline } from '../support/run-tapline.ts';
import { pushSmallImage } from '../support/small-image.ts';

const run = promisify(execFile);
const missing = ['podman', 'skopeo'].filter((program) => !haveProgram(program));
const reason = missing.length === 0 ? '' : ` (needs ${missing.join(', ')})`;

describe.skipIf(reason !== '')(`foreign clients log in with an access token${reason}`, () => {
  let folder: TemporaryFolder;
  let plane: ControlPlaneProcess;
  let host: string;
  let certificates: string;

  beforeAll(async () => {
    folder = await temporaryFolder();
    plane = await startControlPlaneProcess(folder.path, {
      HOMEBREW_API_DOMAIN: 'http://127.0.0.1:9',
      XDG_CONFIG_HOME: join(folder.path, 'config'),
    });
    host = new URL(plane.url).host;
    const { ca = '' } = await loadKubeconfig(plane.kubeconfig);
    certificates = join(folder.path, 'certificates');
    await mkdir(certificates);
    await writeFile(join(certificates, 'ca.crt'), ca);
    await pushImage(ca);
  });
  afterAll(async () => {
    await plane[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  /** One small image, pushed with the administrator's certificate as ever. */
  async function pushImage(ca: string): Promise<void> {
    const { credentials } = await loadKubeconfig(plane.kubeconfig);
    if (credentials.kind !== 'certificate') throw new Error('no certificate');
    const tls = { ca, cert: credentials.certificate, key: credentials.key };
    await using client = createRegistryClient({ baseUrl: plane.url, tls });
    await pushSmallImage(client, { repository: 'team/tool', tag: 'v1' });
  }

  async function accessToken(...flags: readonly string[]): Promise<string> {
    const words = ['token', 'create', '--kubeconfig', plane.kubeconfig, ...flags];
    return (await runTapline(words)).out.trim();
  }

  test('podman logs in and pulls, and may not push', async () => {
    const token = await accessToken('--user', 'dana', '--group', 'tapline:viewer');
    const authfile = join(folder.path, 'auth.json');
    const login = run('podman', [
      'login',
      '--authfile',
      authfile,
      '--cert-dir',
      certificates,
      '--username',
      'dana',
      '--password-stdin',
      host,
    ]);
    login.child.stdin?.end(token);
    expect((await login).stdout).toContain('Login Succeeded!');
    expect(await readFile(authfile, 'utf8')).toContain(host);
    const storage = [
      '--root',
      join(folder.path, 'podman'),
      '--runroot',
      join(folder.path, 'run'),
      '--storage-driver',
      'vfs',
    ];
    const access = ['--authfile', authfile, '--cert-dir', certificates];
    await run('podman', [...storage, 'pull', ...access, `${host}/team/tool:v1`]);
    const { stdout } = await run('podman', [
      ...storage,
      'images',
      '--format',
      '{{.Repository}}:{{.Tag}}',
    ]);
    expect(stdout.trim()).toBe(`${host}/team/tool:v1`);
    const pushed = run('podman', [
      ...storage,
      'push',
      ...access,
      `${host}/team/tool:v1`,
      `docker://${host}/team/tool:v2`,
    ]);
    await expect(pushed).rejects.toMatchObject({
      stderr: expect.stringMatching(/denied|unauthorized/i) as string,
    });
  });

  test('skopeo copies between repositories with the token of an administrator', async () => {
    const token = await accessToken('--user', 'root', '--group', 'system:masters');
    const credentials = ['--src-creds', `root:${token}`, '--dest-creds', `root:${token}`];
    const trust = ['--src-cert-dir', certificates, '--dest-cert-dir', certificates];
    await run('skopeo', [
      'copy',
      ...trust,
      ...credentials,
      `docker://${host}/team/tool:v1`,
      `docker://${host}/other/tool:v1`,
    ]);
    const inspected = await run('skopeo', [
      'inspect',
      '--cert-dir',
      certificates,
      '--creds',
      `root:${token}`,
      `docker://${host}/other/tool:v1`,
    ]);
    expect(JSON.parse(inspected.stdout)).toMatchObject({ RepoTags: ['v1'] });
  });

  test('a wrong password is refused', async () => {
    const token = await accessToken('--user', 'dana', '--group', 'tapline:viewer');
    const words = [
      'login',
      '--authfile',
      join(folder.path, 'none.json'),
      '--cert-dir',
      certificates,
      '--username',
      'dana',
      '--password',
      `${token}x`,
      host,
    ];
    await expect(run('skopeo', words)).rejects.toMatchObject({
      stderr: expect.stringContaining('invalid username/password') as string,
    });
  });
});
