import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  deviceResource,
  nodeResource,
  type Remediation,
  remediationResource,
} from '@tapline/resources';
import { systemClock } from '@tapline/base';
import { eventually, type TemporaryFolder, temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type ControlPlaneProcess,
  startControlPlaneProcess,
} from '../support/control-plane-process.ts';
import { runTapline } from '../support/run-tapline.ts';
import { sendAsSlack, startHomeserver, startSlackWebhooks } from './support/chat-servers.ts';

const secret = 'for tests only';
const room = '!ops:example.net';
let folder: TemporaryFolder;
let plane: ControlPlaneProcess;
let webhooks: Awaited<ReturnType<typeof startSlackWebhooks>>;
let homeserver: Awaited<ReturnType<typeof startHomeserver>>;

beforeAll(async () => {
  folder = await temporaryFolder();
  webhooks = await startSlackWebhooks();
  homeserver = await startHomeserver(room);
  const at = (name: string): string => join(folder.path, name);
  await writeFile(at('webhook'), `${webhooks.url}/services/T1/B1/x\n`);
  await writeFile(at('signing-secret'), secret);
  await writeFile(at('matrix-token'), homeserver.token);
  await writeFile(
    at('monitoring.yaml'),
    `chat:
  slack:
    webhook: { file: webhook }
    signingSecret: { file: signing-secret }
    people:
      U0DANA: { user: dana }
      U0EVE: { user: eve, groups: [tapline:viewer] }
  matrix:
    homeserver: ${homeserver.url}
    token: { file: matrix-token }
    room: '${room}'
    people:
      '@dana:example.net': { user: dana }
`,
  );
  plane = await startControlPlaneProcess(folder.path, {
    TAPLINE_OPSBOT: 'on',
    TAPLINE_MONITORING_CONFIG: at('monitoring.yaml'),
  });
  for (const name of ['edge-1', 'edge-2']) {
    await plane.client.create(deviceResource, {
      metadata: { name, labels: { zone: name } },
      spec: { platform: 'linux/amd64', role: 'node' },
    });
    await eventually('it has a Node', async () => await plane.client.get(nodeResource, name));
  }
});
afterAll(async () => {
  await plane?.[Symbol.asyncDispose]();
  await webhooks?.[Symbol.asyncDispose]();
  await homeserver?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

async function ask(node: string): Promise<Remediation> {
  const env = { TAPLINE_KUBECONFIG: plane.kubeconfig };
  const words = ['ops', 'request', 'full-disk', `node/${node}`, '--reason', 'it sounds odd'];
  const { out } = await runTapline([...words, '-o', 'json'], { env });
  const { name } = (JSON.parse(out) as Remediation).metadata;
  return await eventually('it waits for a person', async () => {
    const found = await plane.client.get(remediationResource, name);
    return found.status?.phase === 'AwaitingApproval' ? found : undefined;
  });
}

async function phaseOf({ metadata }: Remediation): Promise<string | undefined> {
  return (await plane.client.get(remediationResource, metadata.name)).status?.phase;
}

function click(user: string, value: string, action = 'tapline.Approved'): { payload: string } {
  return {
    payload: JSON.stringify({
      type: 'block_actions',
      user: { id: user, username: 'who', team_id: 'T1' },
      response_url: `${webhooks.url}/actions/T1/1/x`,
      actions: [{ type: 'button', action_id: action, value }],
    }),
  };
}

test(
  'in Slack a button approves just what its message shows, for whom that may, and once',
  { timeout: 60_000 },
  async () => {
    const asked = await ask('edge-1');
    const message = await eventually('people are told', () =>
      webhooks.posted.find(({ path }) => path.startsWith('/services/')),
    );
    const [shown, buttons] = message.body['blocks'] as [
      { text: { text: string } },
      { elements: { value: string; action_id: string }[] },
    ];
    expect(shown.text.text).toContain('1. drain node edge-1');
    const value = buttons.elements[0]?.value ?? '';
    const stale = JSON.stringify({ name: asked.metadata.name, digest: 'f'.repeat(64) });
    const send = (user: string, what: string) => sendAsSlack(plane, click(user, what), { secret });
    const answers = async (): Promise<readonly string[]> =>
      webhooks.posted
        .filter(({ path }) => path.startsWith('/actions/'))
        .map(({ body }) => String(body['text']));

    const forged = await sendAsSlack(plane, click('U0DANA', value), { secret: 'guessed' });
    expect(forged.status).toBe(401);
    const seconds = Math.floor(systemClock.now() / 1000) - 600;
    const old = await sendAsSlack(plane, click('U0DANA', value), { secret, seconds });
    expect(old.status).toBe(401);
    // Each is answered after its 200, so the next waits until this one was.
    for (const [already, [user, what, refusal]] of (
      [
        ['U0NOBODY', value, 'is nobody here'],
        ['U0EVE', value, 'eve may not approve'],
        ['U0DANA', stale, 'would now do something else than what was approved'],
      ] as const
    ).entries()) {
      expect((await send(user, what)).status).toBe(200);
      const answer = await eventually('it is refused', async () => (await answers())[already]);
      expect(answer).toContain(refusal);
    }
    expect(await phaseOf(asked)).toBe('AwaitingApproval');

    const given = await send('U0DANA', value);
    expect(given.status).toBe(200);
    await eventually('it is done', async () => (await phaseOf(asked)) === 'Succeeded');
    expect(await given.again()).toBe(401);
    const done = await plane.client.get(remediationResource, asked.metadata.name);
    expect(done.status?.approvals).toMatchObject([{ user: 'dana', decision: 'Approved' }]);
    await eventually('its message says so', async () =>
      (await answers()).includes(`${asked.metadata.name} is approved by dana`),
    );
    const audit = await readFile(join(plane.data, 'audit', 'audit.jsonl'), 'utf8');
    const entries = audit
      .split('\n')
      .filter((line) => line.includes('"via":"chat"'))
      .map((line) => JSON.parse(line) as { user: string; decision: string });
    expect(entries.map(({ user, decision }) => `${user} ${decision}`)).toEqual([
      'slack:U0NOBODY deny',
      'eve deny',
      'dana allow',
      'dana allow',
    ]);

    const question = {
      command: '/tapline',
      text: 'ask what did you do about edge-1?',
      user_id: 'U0DANA',
    };
    const answer = await sendAsSlack(plane, question, { secret });
    expect(JSON.parse(answer.text)).toMatchObject({
      response_type: 'ephemeral',
      text: expect.stringContaining('full-disk on Node edge-1') as string,
    });
  },
);

test(
  'in a room of Matrix a person says the digest that was shown; anybody else is nobody',
  { timeout: 60_000 },
  async () => {
    const asked = await ask('edge-2');
    const { name } = asked.metadata;
    const digest = asked.status?.digest?.slice(0, 12) ?? '';
    const said = (text: string) =>
      eventually(`the room hears: ${text}`, () =>
        [...homeserver.sent.values()].find((one) => one.includes(text)),
      );
    expect(await said('1. drain node edge-2')).toContain(`say: !tapline approve ${name} ${digest}`);
    homeserver.say('@mallory:example.net', `!tapline approve ${name} ${digest}`);
    await said('matrix:@mallory:example.net is nobody here');
    homeserver.say('@dana:example.net', `!tapline approve ${name} ${'0'.repeat(12)}`);
    await said('would now do something else');
    homeserver.say('@dana:example.net', `!tapline approve ${name}`);
    await said('it takes the name of a remediation and its digest');
    expect(await phaseOf(asked)).toBe('AwaitingApproval');
    homeserver.say('@dana:example.net', `approve ${name} ${digest}, I would say`);
    homeserver.say('@dana:example.net', `!tapline reject ${name} ${digest} not today`);
    await said(`${name} is rejected by dana`);
    await eventually('it is rejected', async () => (await phaseOf(asked)) === 'Rejected');
    homeserver.say('@dana:example.net', '!tapline what is waiting?');
    await said('Nothing waits');
  },
);
