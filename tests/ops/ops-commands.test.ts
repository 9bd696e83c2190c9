import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  deviceResource,
  incidentResource,
  nodeResource,
  type PlaybookSpec,
  playbookResource,
  type Remediation,
  remediationResource,
} from '@tapline/resources';
import { eventually, type TemporaryFolder, temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type ControlPlaneProcess,
  startControlPlaneProcess,
} from '../support/control-plane-process.ts';
import { type CommandResult, runTapline } from '../support/run-tapline.ts';
import { startMcpSession } from './support/mcp-session.ts';
import { sendAlert } from './support/send-alert.ts';
import { tokenKubeconfig } from './support/token-kubeconfig.ts';

let folder: TemporaryFolder;
let plane: ControlPlaneProcess;
let tool: string;
let alertToken: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  plane = await startControlPlaneProcess(folder.path, { TAPLINE_OPSBOT: 'on' });
  for (const name of ['edge-1', 'edge-2']) {
    await plane.client.create(deviceResource, {
      metadata: { name, labels: { zone: name } },
      spec: { platform: 'linux/amd64', role: 'node' },
    });
    await eventually('it has a Node', async () => await plane.client.get(nodeResource, name));
  }
  const [forTool, forAlerts] = await Promise.all([
    tapline(['token', 'create', '--user', 'assistant', '--group', 'tapline:tool']),
    tapline(['token', 'create', '--user', 'alerts', '--group', 'tapline:alertmanager']),
  ]);
  const path = join(folder.path, 'tool.kubeconfig');
  tool = await tokenKubeconfig(plane.kubeconfig, { path, token: forTool.out.trim() });
  alertToken = forAlerts.out.trim();
});
afterAll(async () => {
  await plane?.[Symbol.asyncDispose]();
  await folder?.[Symbol.asyncDispose]();
});

function tapline(words: readonly string[], kubeconfig = plane.kubeconfig): Promise<CommandResult> {
  return runTapline(words, { env: { TAPLINE_KUBECONFIG: kubeconfig } });
}

async function remediation(name: string): Promise<Remediation> {
  return await plane.client.get(remediationResource, name);
}

test(
  'an assistant looks, plans and asks, and can do nothing else',
  { timeout: 60_000 },
  async () => {
    const refused = await tapline(['mcp']);
    expect(refused).toMatchObject({
      code: 7,
      err: expect.stringContaining('which no assistant may'),
    });
    await using session = await startMcpSession({ TAPLINE_KUBECONFIG: tool });
    const { result } = await session.call('tools/list', {});
    const tools = result?.['tools'] as {
      name: string;
      annotations: { readOnlyHint: boolean; destructiveHint?: boolean };
    }[];
    expect(
      tools.map(({ name }) => name).filter((name) => /approv|reject|resume/.test(name)),
    ).toEqual([]);
    const destructive = tools.filter(({ annotations }) => annotations.destructiveHint === true);
    expect(destructive.map(({ name }) => name)).toEqual(['request_destructive']);

    const use = async (name: string, args: object): Promise<string> => {
      const answer = await session.call('tools/call', { name, arguments: args });
      const content = answer.result?.['content'] as { text: string }[] | undefined;
      return content?.[0]?.text ?? answer.error?.message ?? '';
    };
    expect(await use('ask', { question: 'what is wrong?' })).toContain(
      'Nothing is known to be wrong.',
    );
    expect(await use('plan', { playbook: 'full-disk', target: 'node/edge-1' })).toContain(
      'drain node edge-1',
    );
    const asked = { playbook: 'full-disk', target: 'node/edge-1', reason: 'the disk sounds odd' };
    expect(await use('request_check', asked)).toContain('wrong_tool');
    const { remediation: name } = JSON.parse(await use('request_destructive', asked)) as {
      remediation: string;
    };
    const waiting = await eventually('it waits for a person', async () => {
      const found = await remediation(name);
      return found.status?.phase === 'AwaitingApproval' ? found : undefined;
    });
    expect(waiting.spec.requestedBy).toBe('assistant');
    const digest = waiting.status?.digest ?? '';
    expect(await tapline(['ops', 'approve', name, digest], tool)).toMatchObject({ code: 7 });
    expect(await tapline(['ops', 'approve', name, 'f'.repeat(12)])).toMatchObject({ code: 1 });
    const shown = await tapline(['ops', 'show', name]);
    expect(shown.out).toContain(`tapline ops approve ${name} ${digest.slice(0, 12)}`);
    const approved = await tapline([
      'ops',
      'approve',
      name,
      digest.slice(0, 12),
      '--reason',
      'looked',
    ]);
    expect(approved).toMatchObject({ code: 0, out: `remediation ${name} is approved\n` });
    const done = await eventually('it is done', async () => {
      const found = await remediation(name);
      return found.status?.phase === 'Succeeded' ? found : undefined;
    });
    expect(done.status?.approvals).toMatchObject([{ decision: 'Approved', reason: 'looked' }]);
    expect((await plane.client.get(nodeResource, 'edge-1')).spec.draining).toBe(true);
    // What was planned before is what was done.
    expect(done.status?.plan?.map(({ text }) => text)).toEqual([
      'drain node edge-1: nothing new comes, and what is there moves',
      'tell people: the node is drained; make room on its disk',
    ]);
    const answer = await tapline(['ops', 'ask', 'what', 'did', 'you', 'do', 'about', 'edge-1?']);
    expect(answer.out).toContain(
      'full-disk on Node edge-1, because the disk sounds odd: Succeeded',
    );
    expect(answer.out).toContain(`tapline ops show ${name}`);
  },
);

test(
  'a control plane that is killed in the middle goes on, and does each thing once',
  { timeout: 60_000 },
  async () => {
    await plane.client.create(playbookResource, {
      metadata: { name: 'odd' },
      spec: {
        mode: 'Automatic',
        on: { alert: { name: 'Odd' } },
        target: { kind: 'Device' },
        steps: [
          { action: 'drain-node' },
          {
            action: 'run-check',
            condition: { type: 'Ready', status: 'True' },
            timeoutSeconds: 3000,
          },
        ],
        verify: { accept: 'Done' },
      } as unknown as PlaybookSpec,
    });
    expect(await sendAlert(plane, { name: 'Odd', device: 'edge-2', token: 'tla.nobody.x' })).toBe(
      401,
    );
    expect(await sendAlert(plane, { name: 'Odd', device: 'edge-2', token: alertToken })).toBe(200);
    const begun = await eventually('it checks its second step', async () => {
      const { items } = await plane.client.list(remediationResource);
      return items.find(
        ({ spec, status }) => spec.playbook === 'odd' && status?.steps?.[1]?.state === 'Checking',
      );
    });
    const { items: open } = await plane.client.list(incidentResource);
    expect(open.map(({ spec }) => spec.cause.name)).toContain('edge-2');
    const { name } = begun.metadata;
    await plane.kill();
    await plane.start();
    await eventually('its device is there', async () => {
      const device = await plane.client.get(deviceResource, 'edge-2');
      const presence = { connected: true, epoch: 1, since: new Date().toISOString() };
      return await plane.client.updateStatus(deviceResource, {
        ...device,
        status: { ...device.status, presence },
      });
    });
    const done = await eventually('it ends', async () => {
      const found = await remediation(name);
      return found.status?.phase === 'Succeeded' ? found : undefined;
    });
    expect(done.status?.epoch).toBeGreaterThan(begun.status?.epoch ?? 0);
    const { items } = await plane.client.list(remediationResource);
    expect(items.filter(({ spec }) => spec.playbook === 'odd')).toHaveLength(1);
    const audit = await readFile(join(plane.data, 'audit', 'audit.jsonl'), 'utf8');
    const drains = audit
      .split('\n')
      .filter((line) => line.includes('"spec.draining"') && line.includes('"edge-2"'));
    expect(drains).toHaveLength(1);
    expect(drains[0]).toContain(`remediation ${name}`);
  },
);

test('while it is paused nothing is begun', { timeout: 60_000 }, async () => {
  const paused = await tapline(['ops', 'pause', '--reason', 'moving racks', '--for', '2h']);
  expect(paused.out).toMatch(/^OpsBot is paused until /);
  expect(await sendAlert(plane, { name: 'Odd', device: 'edge-1', token: alertToken })).toBe(200);
  const held = await eventually('it is held', async () => {
    const { out } = await tapline(['ops', 'ask', 'why not edge-1?']);
    return out.includes('is held by paused: OpsBot is paused: moving racks') ? out : undefined;
  });
  expect(held).toContain('tapline ops show');
  const resumed = await tapline(['ops', 'resume', '--reset', '-o', 'json']);
  expect(JSON.parse(resumed.out)).toMatchObject({ spec: { resets: 1 } });
});
