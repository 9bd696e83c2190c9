import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import {
  deviceResource,
  nodeResource,
  opsPolicyResource,
  type PlaybookSpec,
  playbookResource,
  type Remediation,
  remediationResource,
} from '@tapline/resources';
import {
  type Browser,
  type BrowserPage,
  browserProgram,
  eventually,
  startBrowser,
  startProcess,
  temporaryFolder,
} from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type ControlPlaneProcess,
  startControlPlaneProcess,
} from '../support/control-plane-process.ts';
import { runTapline, taplineMain } from '../support/run-tapline.ts';
import { sendAlert } from './support/send-alert.ts';
import { tokenKubeconfig } from './support/token-kubeconfig.ts';

const opened = new AsyncDisposableStack();
let plane: ControlPlaneProcess;
/** Addresses of the consoles of three people. */
let dana: string;
let eve: string;
let olga: string;
/** Alertmanager's. */
let token: string;
let asked: Remediation;

beforeAll(async () => {
  const folder = opened.use(await temporaryFolder());
  plane = opened.use(await startControlPlaneProcess(folder.path, { TAPLINE_OPSBOT: 'on' }));
  for (const name of ['edge-1', 'edge-2']) {
    await plane.client.create(deviceResource, {
      metadata: { name, labels: { zone: name } },
      spec: { platform: 'linux/amd64', role: 'node' },
    });
    await eventually('it has a Node', async () => await plane.client.get(nodeResource, name));
  }
  await plane.client.create(playbookResource, {
    metadata: { name: 'odd' },
    spec: {
      mode: 'Approve',
      on: { alert: { name: 'Odd' } },
      target: { kind: 'Device' },
      steps: [{ action: 'drain-node' }],
      verify: { accept: 'Done' },
    } as unknown as PlaybookSpec,
  });
  token = await newToken('alerts', 'tapline:alertmanager');
  const about = { name: 'Odd', device: 'edge-1', token, summary: '<b>it sounds odd</b>' };
  await sendAlert(plane, about);
  [asked, dana, eve, olga] = await Promise.all([
    awaited(),
    startConsole(folder.path, 'dana', 'tapline:approver'),
    startConsole(folder.path, 'eve', 'tapline:tool'),
    startConsole(folder.path, 'olga', 'tapline:operator'),
  ]);
}, 120_000);
afterAll(() => opened.disposeAsync());

async function newToken(user: string, group: string): Promise<string> {
  const create = ['token', 'create', '--user', user, '--group', group];
  const { out } = await runTapline([...create, '--kubeconfig', plane.kubeconfig]);
  return out.trim();
}

/** What waits for a person, once it is planned with another digest than this. */
async function awaited(digest?: string): Promise<Remediation> {
  return await eventually('it waits for a person', async () => {
    const { items } = await plane.client.list(remediationResource);
    return items.find(
      ({ status }) => status?.phase === 'AwaitingApproval' && status.digest !== digest,
    );
  });
}

async function startConsole(folder: string, user: string, group: string): Promise<string> {
  const path = join(folder, `${user}.kubeconfig`);
  await tokenKubeconfig(plane.kubeconfig, { path, token: await newToken(user, group) });
  const words = ['ops', 'console', '--kubeconfig', path];
  const started = opened.use(
    await startProcess(process.execPath, [taplineMain, ...words], {
      readyLine: /^(http:\/\/127\.0\.0\.1:\d+\/#\S{43})$/m,
      readyWithinMs: 40_000,
    }),
  );
  return started.ready?.[1] ?? '';
}

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: object;
}

/** As a page of that console would, but for what is changed. */
async function send(address: string, { path = '/api/approval', method = 'POST', ...sent }: Sent) {
  const { host, origin, hash } = new URL(address);
  const all = { host, origin, 'x-tapline-console': hash.slice(1), ...sent.headers };
  const headers = Object.fromEntries(
    Object.entries(all).filter((one): one is [string, string] => one[1] !== undefined),
  );
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>();
  request(new URL(path, address), { method, headers }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
  })
    .on('error', reject)
    .end(sent.body === undefined ? undefined : JSON.stringify(sent.body));
  return await promise;
}

function approval(change: object = {}): object {
  const { metadata, status } = asked;
  return { name: metadata.name, digest: status?.digest, decision: 'Approved', ...change };
}

async function phase(): Promise<string | undefined> {
  return (await plane.client.get(remediationResource, asked.metadata.name)).status?.phase;
}

test('who has not the secret, comes from elsewhere, or wants anything else is refused', async () => {
  const body = approval();
  const elsewhere = 'https://evil.example';
  for (const headers of [
    { 'x-tapline-console': undefined },
    { 'x-tapline-console': new URL(eve).hash.slice(1) },
    { origin: elsewhere },
    { origin: undefined },
    { host: 'evil.example', origin: 'http://evil.example' },
    { 'sec-fetch-site': 'cross-site' },
  ]) {
    const { status } = await send(dana, { body, headers });
    expect([401, 403], JSON.stringify(headers)).toContain(status);
  }
  const watch = { path: '/api/watch', method: 'GET', headers: { 'x-tapline-console': 'guessed' } };
  expect(await send(dana, watch)).toMatchObject({ status: 401 });
  const devices = { path: '/apis/tapline.dev/v1alpha1/devices', method: 'GET' };
  expect(await send(dana, devices)).toMatchObject({ status: 404 });
  // Nothing of what is here is in the page itself.
  const page = await send(dana, { path: '/', method: 'GET', headers: { origin: undefined } });
  expect(page.status).toBe(200);
  expect(page.text).not.toContain('edge-1');
  const rebound = { path: '/', method: 'GET', headers: { host: 'evil.example' } };
  expect(await send(dana, rebound)).toMatchObject({ status: 403 });
  expect(await phase()).toBe('AwaitingApproval');
});

test('what would be done now is not what was shown: nothing is approved', async () => {
  const { status, text } = await send(dana, { body: approval({ digest: 'f'.repeat(64) }) });
  expect(status).toBe(409);
  expect(text).toContain('has the digest');
  expect(await phase()).toBe('AwaitingApproval');
});

test('the control plane refuses whom it does not let approve or pause', async () => {
  const refused = await send(eve, { body: approval() });
  expect(refused).toMatchObject({ status: 403, text: expect.stringContaining('eve') });
  const paused = { path: '/api/switch', body: { paused: true, reason: 'no' } };
  expect(await send(dana, paused)).toMatchObject({ status: 403 });
  expect(await phase()).toBe('AwaitingApproval');
});

describe.skipIf(browserProgram() === undefined)('the page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = opened.use(await startBrowser());
  });

  function textOf(page: BrowserPage, selector = 'body'): Promise<string> {
    return page.evaluate(`document.querySelector(${JSON.stringify(selector)})?.innerText ?? ''`);
  }

  async function press(page: BrowserPage, key: Readonly<Record<string, unknown>>): Promise<void> {
    await page.send('Input.dispatchKeyEvent', { type: 'keyDown', ...key });
    await page.send('Input.dispatchKeyEvent', { type: 'keyUp', ...key });
  }

  async function click(page: BrowserPage, text: string): Promise<void> {
    await eventually(`there is a button ${text}`, () =>
      page.evaluate<boolean>(`(() => {
        const button = [...document.querySelectorAll('button')].find((one) =>
          one.textContent.trim() === ${JSON.stringify(text)} && one.checkVisibility() && !one.disabled);
        button?.click();
        return button !== undefined;
      })()`),
    );
  }

  test('shows who may not decide what waits, and gives no buttons', async () => {
    await using page = await browser.open(eve);
    const card = await eventually('it is shown', async () => {
      const text = await textOf(page, '#waiting article');
      return text.includes('You may look, and not decide') ? text : undefined;
    });
    expect(card).toContain('odd on Device edge-1');
    expect(card).not.toContain('Approve …');
    expect(await textOf(page, '#user')).toContain('eve at ');
  });

  test('without its secret says how it is opened', async () => {
    await using page = await browser.open(new URL('/', dana).href, { profile: 'other' });
    await eventually('it says so', async () =>
      (await textOf(page, '#trouble')).includes('open the whole address'),
    );
    expect(await textOf(page, '#waiting')).toBe('');
  });

  test('asks once more, and what is approved in it is done and audited', async () => {
    await using page = await browser.open(dana);
    const card = await eventually('it is shown', async () => {
      const text = await textOf(page, '#waiting article');
      return text.includes('Approve …') ? text : undefined;
    });
    // The secret is not left in the address, and what people wrote stays a text.
    expect(await page.evaluate('location.href')).toBe(new URL('/', dana).href);
    expect(card).toContain('alertmanager: <b>it sounds odd</b>, since ');
    expect(card).toMatch(/waits for an approval, until .*\d/);
    expect(card).toContain('1. drain node edge-1');
    expect(await page.evaluate('document.querySelectorAll("main b").length')).toBe(0);

    await eventually('its cause is shown', async () =>
      (await textOf(page, '#incidents article')).includes('Probable cause: Device edge-1'),
    );

    // Another policy may allow other things, so what was asked about is not what would be done.
    await click(page, 'Approve …');
    const change = { kind: 'merge', body: { spec: { perHour: 29 } } } as const;
    await plane.client.patch(opsPolicyResource, 'default', change);
    asked = await awaited(asked.status?.digest);
    await eventually('the page says so', async () =>
      (await textOf(page, '#confirm-trouble')).includes('It has changed while you looked at it'),
    );
    expect(await page.evaluate('document.querySelector("#confirm-yes").disabled')).toBe(true);
    await press(page, { key: 'Escape', windowsVirtualKeyCode: 27 });
    expect(await page.evaluate('document.querySelector("dialog").open')).toBe(false);

    await click(page, 'Approve …');
    expect(await textOf(page, '#confirm-lines')).toContain(asked.status?.digest?.slice(0, 12));
    expect(await page.evaluate('document.activeElement.id')).toBe('confirm-reason');
    expect(await phase()).toBe('AwaitingApproval');
    await page.send('Input.insertText', { text: 'looked at it' });
    await press(page, { key: 'Enter', windowsVirtualKeyCode: 13, text: '\r' });
    await eventually('it is done', async () => (await phase()) === 'Succeeded');
    const log = await eventually('the page says so', async () => {
      const text = await textOf(page, '#over article');
      return text.includes('is done, and helped') ? text : undefined;
    });
    for (const said of ['What it saw', 'Why that is allowed', 'What it did', 'How it checked']) {
      expect(log).toContain(said);
    }
    expect(log).toMatch(/dana approved it at .*: looked at it/);
    expect(await textOf(page, '#waiting-none')).toBe('Nothing waits for a person.');
    expect((await plane.client.get(nodeResource, 'edge-1')).spec.draining).toBe(true);
    const audit = await readFile(join(plane.data, 'audit', 'audit.jsonl'), 'utf8');
    const entries = audit
      .split('\n')
      .filter((line) => line.includes('"dana"') && line.includes(asked.status?.digest ?? 'none'));
    expect(entries).toHaveLength(1);

    // What comes is shown as it comes.
    const next = { name: 'Odd', device: 'edge-2', token };
    expect(await sendAlert(plane, next)).toBe(200);
    await click(page, 'Refuse …');
    expect(await page.evaluate('document.querySelector("#confirm-reason").required')).toBe(true);
    await page.send('Input.insertText', { text: 'not today' });
    await click(page, 'Refuse it');
    await eventually('it is refused', async () =>
      (await textOf(page, '#over')).includes('at the end: dana rejected it: not today'),
    );
    expect((await plane.client.get(nodeResource, 'edge-2')).spec.draining).toBe(undefined);

    // So is what somebody else does, who may do that.
    await using other = await browser.open(olga);
    await click(other, 'Pause …');
    await other.send('Input.insertText', { text: 'moving racks' });
    await click(other, 'Pause it');
    await eventually('it is seen', async () =>
      (await textOf(page, '#switch-says')).includes('OpsBot is paused: moving racks'),
    );
    await click(other, 'Let it act again …');
    await click(other, 'Let it act');
    await eventually('it is seen, too', async () =>
      (await textOf(page, '#switch-says')).includes('OpsBot may act'),
    );
    await plane.stop();
    await eventually('it says that the control plane is away', async () =>
      (await textOf(page, '#trouble')).includes('The control plane is away'),
    );
    await plane.start();
    await eventually('it goes on', async () => (await textOf(page, '#trouble')) === '');
    expect(page.console().filter((line) => !line.includes('api/'))).toEqual([]);
  });
});
