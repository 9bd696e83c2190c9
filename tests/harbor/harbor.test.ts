import { systemClock } from '@tapline/base';
import {
  createHarborClient,
  type DesiredHarbor,
  describeHarborStep,
  ensureHarbor,
  type HarborClient,
  type RobotLogin,
  runHarborPolicy,
} from '@tapline/registry';
import { sharedDataFile } from '@tapline/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { contractViolations, listedValues } from '../support/harbor/contract-violations.ts';
import { type HarborServer, startHarbor } from '../support/harbor/start-harbor.ts';
import { readSwagger, type Swagger } from '../support/harbor/swagger.ts';

const contract = sharedDataFile('harbor-swagger.yaml');
const swagger = contract === undefined ? undefined : readSwagger(contract);
const reason = contract === undefined ? ' (needs shared/data/harbor-swagger.yaml)' : '';

function swaggerOf(): Swagger {
  if (swagger === undefined) throw new Error('the contract is not here');
  return swagger;
}

const desired: DesiredHarbor = {
  project: { name: 'tools', public: false, storageLimit: 10_000_000_000 },
  robots: [
    { name: 'control-plane', may: 'pull-and-push' },
    { name: 'edge-1', may: 'pull', days: 30 },
  ],
  registries: [
    {
      name: 'site-b',
      type: 'docker-registry',
      url: 'https://site-b.example:5000',
      insecure: false,
      credential: { username: 'replicator', password: 'the password of site b' },
    },
  ],
  policies: [
    {
      name: 'to-site-b',
      direction: 'push',
      registry: 'site-b',
      repositories: 'tools/**',
      tags: 'v*',
      labels: ['released'],
      destination: 'mirror',
      trigger: { kind: 'on-push' },
      deletion: false,
      kilobytesPerSecond: 4096,
    },
    {
      name: 'from-site-b',
      direction: 'pull',
      registry: 'site-b',
      repositories: 'base/*',
      destination: 'base',
      trigger: { kind: 'scheduled', cron: '0 0 * * * *' },
      deletion: true,
    },
  ],
};

describe.skipIf(contract === undefined)(`Harbor, by its own contract${reason}`, () => {
  let harbor: HarborServer;
  let client: HarborClient;
  let logins: Map<string, RobotLogin>;

  beforeEach(async () => {
    harbor = await startHarbor(swaggerOf());
    client = createHarborClient({ ...harbor, baseUrl: harbor.url, attempts: 3 });
    logins = new Map();
  });
  afterEach(async () => {
    await client[Symbol.asyncDispose]();
    await harbor[Symbol.asyncDispose]();
    // Whatever a test was about: no request and no answer was against the contract.
    if (harbor.violations.length > 0) throw new Error(harbor.violations.join('\n'));
  });

  async function ensure(wanted: DesiredHarbor = desired): Promise<readonly string[]> {
    const steps = await ensureHarbor(client, wanted, {
      clock: systemClock,
      knowsSecret: (robot) => logins.has(robot),
      onLogin: (login) => void logins.set(login.robot.name, login),
    });
    return steps.map(describeHarborStep);
  }

  test('is brought to what is wanted, and a second time nothing is left to do', async () => {
    expect(await ensure()).toEqual([
      'create private project tools',
      'add docker-registry registry site-b at https://site-b.example:5000',
      'push tools/** to site-b by policy to-site-b',
      'pull base/* from site-b by policy from-site-b',
      'create robot control-plane, which may pull and push',
      'create robot edge-1, which may pull',
    ]);
    const edge = harbor.state.robots.find(({ name }) => name === 'robot$tools+edge-1');
    expect(edge?.['permissions']).toEqual([
      { kind: 'project', namespace: 'tools', access: [{ resource: 'repository', action: 'pull' }] },
    ]);
    expect(logins.get('edge-1')).toMatchObject({
      username: 'robot$tools+edge-1',
      secret: harbor.state.secrets.get(Number(edge?.['id'])),
    });
    const before = harbor.requests.length;
    expect(await ensure()).toEqual([]);
    expect(harbor.requests.slice(before).filter((line) => !line.startsWith('GET'))).toEqual([]);
  });

  test('takes back what others changed, and leaves alone what is not its own', async () => {
    await ensure();
    const { state } = harbor;
    const [project] = state.projects;
    if (project !== undefined) project['metadata'] = { public: 'true' };
    for (const robot of state.robots) {
      const access = [{ resource: 'repository', action: 'delete' }];
      robot['permissions'] = [{ kind: 'project', namespace: 'tools', access }];
    }
    const push = state.policies.find(({ name }) => name === 'to-site-b');
    if (push !== undefined) push['replicate_deletion'] = true;
    state.robots.push({
      id: 900,
      name: 'robot$tools+ci',
      level: 'project',
      description: 'of others',
      disable: false,
      duration: -1,
      permissions: [],
    });
    state.policies.push({
      id: 901,
      name: 'nightly',
      description: 'of others',
      src_registry: { id: 2 },
      trigger: { type: 'manual' },
    });
    expect(await ensure()).toEqual([
      'make project tools private',
      'change policy to-site-b',
      'let robot control-plane pull and push and nothing else',
      'let robot edge-1 pull and nothing else',
    ]);
    expect(await ensure()).toEqual([]);
    expect(await ensure({ ...desired, robots: [], policies: [] })).toEqual([
      'delete policy to-site-b',
      'delete policy from-site-b',
      'delete robot control-plane',
      'delete robot edge-1',
    ]);
    expect(state.robots.map(({ name }) => name)).toEqual(['robot$tools+ci']);
    expect(state.policies.map(({ name }) => name)).toEqual(['nightly']);
  });

  test('a secret that was lost is made anew, an account that ends soon too', async () => {
    await ensure();
    const first = logins.get('edge-1')?.secret;
    logins.delete('edge-1');
    expect(await ensure()).toEqual(['make a new secret for robot edge-1']);
    expect(logins.get('edge-1')?.secret).not.toBe(first);
    const edge = harbor.state.robots.find(({ name }) => name === 'robot$tools+edge-1');
    if (edge !== undefined) edge['expires_at'] = Math.floor(Date.now() / 1000) + 3600;
    expect(await ensure()).toEqual(['delete robot edge-1', 'create robot edge-1, which may pull']);
  });

  test('a fleet larger than a page is read whole', async () => {
    const robots = Array.from(
      { length: 203 },
      (_none, at) => ({ name: `d-${at}`, may: 'pull' }) as const,
    );
    expect(await ensure({ ...desired, robots, policies: [] })).toHaveLength(205);
    expect(await ensure({ ...desired, robots, policies: [] })).toEqual([]);
  });

  test('a registry moves to another address and account', async () => {
    await ensure();
    const [registry] = desired.registries;
    if (registry === undefined) throw new Error('no registry');
    const credential = { username: 'other', password: 'p' };
    const moved = {
      ...desired,
      registries: [{ ...registry, url: 'https://b2.example', credential }],
    };
    expect(await ensure(moved)).toEqual(['change registry site-b to https://b2.example']);
    expect(await ensure(moved)).toEqual([]);
  });

  test('failures on the way are met again, and a wrong password says so', async () => {
    harbor.failNext(2, 503);
    expect(await ensure({ ...desired, robots: [], registries: [], policies: [] })).toEqual([
      'create private project tools',
    ]);
    await using other = createHarborClient({
      baseUrl: harbor.url,
      username: 'admin',
      password: 'x',
    });
    await expect(other.policies.list()).rejects.toMatchObject({
      code: 'harbor_unauthorized',
      message: expect.stringContaining('Harbor answered 401 to GET /replication/policies'),
    });
  });

  test('a replication runs to its end, with progress; a failed one says what failed', async () => {
    await ensure();
    harbor.state.courses.push('InProgress', 'Succeed');
    const seen: string[] = [];
    const run = await runHarborPolicy(client, 'to-site-b', {
      clock: systemClock,
      onProgress: ({ done, total }) => seen.push(`${done}/${total}`),
    });
    expect(run.status).toBe('Succeed');
    expect(seen).toEqual(['0/3', '3/3']);
    harbor.state.courses.push('Failed');
    await expect(
      runHarborPolicy(client, 'to-site-b', { clock: systemClock }),
    ).rejects.toMatchObject({
      code: 'harbor_execution_failed',
      message: 'replication to-site-b ended as Failed: tools/thing-0:[1 item(s) in total]',
    });
    expect((await client.executions.list(harbor.state.policies[0]?.['id'] as number)).length).toBe(
      2,
    );
  });

  test('a replication that nobody waits for any more is stopped', async () => {
    await ensure();
    const stop = new AbortController();
    const running = runHarborPolicy(client, 'to-site-b', {
      clock: systemClock,
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('enough')),
    });
    await expect(running).rejects.toThrow('enough');
    expect(harbor.state.executions.map(({ status }) => status)).toEqual(['Stopped']);
  });
});

describe.skipIf(contract === undefined)(`the server made from the contract${reason}`, () => {
  test('refuses what the contract does not have', async () => {
    await using harbor = await startHarbor(swaggerOf());
    const authorization = `Basic ${Buffer.from('admin:Harbor12345').toString('base64')}`;
    const post = async (path: string, body: unknown): Promise<number> => {
      const response = await fetch(`${harbor.url}/api/v2.0${path}`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      return response.status;
    };
    expect(await post('/projects', { project_name: 'a', colour: 'red' })).toBe(422);
    expect(await post('/projects', { project_name: 7 })).toBe(422);
    expect(await post('/projects', { project_name: 'a'.repeat(256) })).toBe(422);
    expect(await post('/projects?shape=round', { project_name: 'a' })).toBe(422);
    expect(await post('/robots', { name: 'a', level: 'galaxy' })).toBe(422);
    expect(await post('/replication/policies', { trigger: { type: 'sometimes' } })).toBe(422);
    expect(await post('/no/such/path', {})).toBe(404);
    expect(harbor.violations).toEqual([
      'createProject: body project.colour is not in the contract',
      'createProject: body project.project_name is no string',
      'createProject: body project.project_name is longer than 255',
      'createProject: query shape is not in the contract',
      'CreateRobot: body robot.level is "galaxy", none of project, system',
      'createReplicationPolicy: body policy.trigger.type is "sometimes", none of manual, event_based, scheduled',
      'POST /api/v2.0/no/such/path is not in the contract',
    ]);
  });

  test('knows every path of it, and reads enumerations from prose', () => {
    const found = swaggerOf();
    expect(found.operations.length).toBeGreaterThan(150);
    expect(listedValues('Possible actions are *, pull, push and stop.')).toEqual([
      '*',
      'pull',
      'push',
      'stop',
    ]);
    const schema = { $ref: '#/definitions/Access' };
    const value = { resource: 'repository', action: 'look' };
    expect(contractViolations(found, schema, { value, at: 'access' })).toEqual([
      expect.stringContaining('access.action is "look", none of *, pull, push'),
    ]);
  });
});
