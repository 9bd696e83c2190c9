import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sharedDataFile } from '@tapline/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type HarborServer, startHarbor } from '../support/harbor/start-harbor.ts';
import { readSwagger } from '../support/harbor/swagger.ts';
import { type CommandResult, runTapline } from '../support/run-tapline.ts';

const contract = sharedDataFile('harbor-swagger.yaml');
const reason = contract === undefined ? ' (needs shared/data/harbor-swagger.yaml)' : '';

function wanted(server: string): string {
  return `server: ${server}
login: { username: admin, password: { file: password } }
project: { name: tools, storageLimit: 10GB }
robots:
  - { name: control-plane, may: pull-and-push }
  - { name: edge-1, days: 30 }
registries:
  - name: site-b
    url: https://site-b.example:5000
    login: { username: replicator, password: { environment: SITE_B } }
policies:
  - name: to-site-b
    direction: push
    registry: site-b
    repositories: tools/**
    tags: v*
    destination: mirror
    trigger: on-push
    bandwidth: 4MB/s
`;
}

const steps = [
  'create private project tools',
  'add docker-registry registry site-b at https://site-b.example:5000',
  'push tools/** to site-b by policy to-site-b',
  'create robot control-plane, which may pull and push',
  'create robot edge-1, which may pull',
];
const siteB = 'the password of site b';

describe.skipIf(contract === undefined)(`tapline registry harbor${reason}`, () => {
  let harbor: HarborServer;
  let folder: string;

  beforeEach(async () => {
    harbor = await startHarbor(readSwagger(contract ?? ''));
    folder = await mkdtemp(join(tmpdir(), 'tapline-harbor-'));
    await writeFile(join(folder, 'password'), `${harbor.password}\n`, { mode: 0o600 });
    await writeFile(join(folder, 'harbor.yaml'), wanted(harbor.url));
  });
  afterEach(async () => {
    await harbor[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
    if (harbor.violations.length > 0) throw new Error(harbor.violations.join('\n'));
  });

  function run(...words: readonly string[]): Promise<CommandResult> {
    const file = join(folder, 'harbor.yaml');
    return runTapline(['registry', 'harbor', file, ...words], { env: { SITE_B: siteB } });
  }

  function changes(): readonly string[] {
    return harbor.requests.filter((line) => !line.startsWith('GET'));
  }

  test('says, does, keeps the secrets, and has nothing to do a second time', async () => {
    const logins = join(folder, 'robots.json');
    expect(await run('--logins', logins, '--dry-run')).toEqual({
      code: 0,
      out: `${steps.join('\n')}\n5 steps to take; nothing was changed\n`,
      err: '',
    });
    expect(changes()).toEqual([]);
    const asJson = await run('--logins', logins, '--dry-run', '-o', 'json');
    expect(JSON.parse(asJson.out)).toMatchObject({
      dryRun: true,
      steps: steps.map((description) => ({ description })),
    });
    expect(asJson.out).not.toContain(siteB);

    const done = await run('--logins', logins);
    expect(done).toEqual({ code: 0, out: `${steps.join('\n')}\n5 steps taken\n`, err: '' });
    expect((await stat(logins)).mode & 0o777).toBe(0o600);
    const kept = JSON.parse(await readFile(logins, 'utf8')) as {
      robots: Record<string, { username: string; secret: string }>;
    };
    const edge = harbor.state.robots.find(({ name }) => name === 'robot$tools+edge-1');
    expect(kept.robots['edge-1']).toEqual({
      username: 'robot$tools+edge-1',
      secret: harbor.state.secrets.get(Number(edge?.['id'])),
    });
    expect(done.out + done.err).not.toContain(kept.robots['edge-1']?.secret);
    expect(harbor.state.policies[0]).toMatchObject({ speed: 3906 });

    const before = changes().length;
    const again = await run('--logins', logins);
    expect(again.out).toBe('all is as it should be\n');
    expect(changes().length).toBe(before);
  });

  test('a file of logins that was lost gets new secrets, one of another project is not touched', async () => {
    const logins = join(folder, 'robots.json');
    await run('--logins', logins);
    await rm(logins);
    expect((await run('--logins', logins)).out).toBe(
      'make a new secret for robot control-plane\nmake a new secret for robot edge-1\n2 steps taken\n',
    );
    const other = (await readFile(logins, 'utf8')).replace('"project": "tools"', '"project": "b"');
    await writeFile(logins, other);
    const refused = await run('--logins', logins);
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain('has the logins of another project than tools');
    expect(await readFile(logins, 'utf8')).toBe(other);
  });

  test('runs a policy with progress, and says what failed', async () => {
    const logins = join(folder, 'robots.json');
    harbor.state.courses.push('InProgress', 'Succeed');
    const ran = await run('--logins', logins, '--run', 'to-site-b');
    expect(ran).toMatchObject({ code: 0, err: 'to-site-b (0/3)\nto-site-b (3/3)\n' });
    expect(ran.out).toContain('5 steps taken\nto-site-b: 3 copied\n');
    harbor.state.courses.push('Failed');
    const failed = await run('--logins', logins, '--run', 'to-site-b');
    expect(failed.code).not.toBe(0);
    expect(failed.err).toContain('[harbor_execution_failed]');
  });

  test.each([
    ['password: { file: password }', 'password: Harbor12345', 'a password is { file: … }'],
    ['project: { name: tools', 'project: { name: Tools', 'project.name: is not of a-z'],
    ['http://127.0.0.1', 'http://harbor.example', 'would get the password unencrypted'],
    ['name: edge-1', 'name: control-plane', 'control-plane is there twice'],
    ['SITE_B', 'SITE_C', 'SITE_C has no password for replicator'],
  ])('refuses %s written as %s', async (good, bad, message) => {
    const file = join(folder, 'harbor.yaml');
    await writeFile(file, (await readFile(file, 'utf8')).replace(good, bad));
    const refused = await run('--logins', join(folder, 'robots.json'));
    expect(refused.code).not.toBe(0);
    expect(refused.err).toContain(message);
    expect(refused.err).toContain('[configuration_invalid]');
    expect(harbor.requests).toEqual([]);
  });

  test('robots without a place for their secrets, and a dry run that runs, are refused', async () => {
    expect(await run()).toMatchObject({ code: 2, err: expect.stringContaining('--logins') });
    expect(await run('--dry-run', '--run', 'to-site-b')).toMatchObject({ code: 2 });
    expect(harbor.requests).toEqual([]);
  });
});
