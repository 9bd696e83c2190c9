import { join } from 'node:path';
import { loadKubeconfig, type NewObjectOf } from '@tapline/client';
import { createRegistryClient } from '@tapline/registry';
import {
  deviceKeyAnnotation,
  deviceResource,
  findCondition,
  installResource,
  revokedDeviceKey,
} from '@tapline/resources';
import {
  browserProgram,
  eventually,
  openWebkitPage,
  startBrowser,
  temporaryFolder,
  webkitMissing,
} from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { debianUnavailable } from '../tools/debian/debian-unavailable.ts';
import {
  type ControlPlaneProcess,
  startControlPlaneProcess,
} from './support/control-plane-process.ts';
import { runTapline } from './support/run-tapline.ts';
import { startTlsProxy } from './support/start-tls-proxy.ts';
import { pushBusyboxImage } from './userland/busybox-image.ts';

const debian = await debianUnavailable('arm64');

interface OpenedPage extends AsyncDisposable {
  evaluate<T>(expression: string): Promise<T>;
  goTo(url: string): Promise<void>;
  /** What it complained about; nothing where the browser does not tell. */
  readonly console?: () => readonly string[];
}

const opened = new AsyncDisposableStack();
let plane: ControlPlaneProcess;
let proxy: Awaited<ReturnType<typeof startTlsProxy>>;
let ca: string;
let digest: string;

const browsers: readonly {
  readonly name: string;
  readonly missing: string | undefined;
  /** Where it reaches the control plane. */
  readonly server: () => string;
  readonly open: (url: string) => Promise<OpenedPage>;
}[] = [
  {
    name: 'chromium',
    missing: browserProgram() === undefined ? 'chromium' : undefined,
    server: () => plane.url,
    async open(url) {
      await using owned = new AsyncDisposableStack();
      const browser = owned.use(await startBrowser({ trust: [ca] }));
      const page = await browser.open(url);
      const kept = owned.move();
      return {
        evaluate: (expression) => page.evaluate(expression),
        goTo: (to) => page.goTo(to),
        console: () => page.console(),
        [Symbol.asyncDispose]: () => kept.disposeAsync(),
      };
    },
  },
  {
    name: 'webkit',
    missing: webkitMissing(),
    // It asks its user wherever a server would take a certificate; and so a proxy is tried, too.
    server: () => proxy.url,
    open: (url) => openWebkitPage(url, { trustAll: true }),
  },
];

async function tapline(...words: readonly string[]): Promise<string> {
  const { code, out, err } = await runTapline([...words, '--kubeconfig', plane.kubeconfig]);
  if (code !== 0) throw new Error(`${words.join(' ')}: ${err}`);
  return out.trim();
}

beforeAll(async () => {
  if (debian !== undefined) return;
  const folder = opened.use(await temporaryFolder());
  plane = opened.use(
    await startControlPlaneProcess(folder.path, {
      HOMEBREW_API_DOMAIN: 'http://127.0.0.1:9',
      XDG_CONFIG_HOME: join(folder.path, 'config'),
      TAPLINE_DEVICE_PAGE: 'true',
    }),
  );
  proxy = opened.use(
    await startTlsProxy(new URL(plane.url), { folder: join(folder.path, 'proxy') }),
  );
  const context = await loadKubeconfig(plane.kubeconfig);
  if (context.credentials.kind !== 'certificate') throw new Error('no certificate');
  const { certificate: cert, key } = context.credentials;
  ca = context.ca ?? '';
  await using registry = createRegistryClient({ baseUrl: plane.url, tls: { ca, cert, key } });
  digest = await pushBusyboxImage(registry, folder.path);
  const signingKey = join(plane.data, 'image-keys/key.pem');
  await tapline('image', 'sign', 'tools/busybox:1', '--key', signingKey);
}, 120_000);
afterAll(() => opened.disposeAsync());

function installOf(
  device: string,
  formula: string,
  more: Partial<NewObjectOf<typeof installResource>['spec']>,
): NewObjectOf<typeof installResource> {
  const about = { digest, platform: 'linux/arm64', sizeBytes: 1, unpackedBytes: 1 };
  return {
    metadata: { name: `${device}.${formula}` },
    spec: {
      device,
      delivery: 'none',
      formula,
      version: '1',
      revision: 1,
      image: { repository: 'tools/busybox', ...about },
      health: { command: ['true'], timeoutSeconds: 30, attempts: 2, intervalSeconds: 1 },
      ...more,
    },
  };
}

function ready(name: string): Promise<unknown> {
  return eventually(
    `${name} is Ready`,
    async () => {
      const { status } = await plane.client.get(installResource, name);
      if (status?.state === 'Failed') throw new Error(JSON.stringify(status.error));
      return status?.state === 'Ready';
    },
    { withinMs: 60_000 },
  );
}

const took: number[] = [];

describe.skipIf(debian !== undefined).each(browsers)(
  `the page of a control plane, in $name (needs ${debian ?? '$missing'})`,
  { timeout: 180_000 },
  ({ name, missing, server, open }) => {
    test.skipIf(missing !== undefined)(
      'becomes a device by a link, runs what it is sent, comes back, and is shut out at once',
      async () => {
        const at = server();
        const where = at === plane.url ? ['--page'] : ['--page-url', at];
        const created = await tapline('token', 'create', ...where, '--output', 'json');
        const { link, token } = JSON.parse(created) as { link: string; token: string };
        expect(link).toBe(`${at}/device/#${token}`);
        await using page = await open(link);
        const query = `document.querySelector`;
        const text = (id: string): Promise<string> =>
          page.evaluate(`${query}('#${id}').textContent`);
        const inState = (state: string): Promise<unknown> =>
          eventually(
            `the page is ${state}`,
            async () => {
              if ((await page.evaluate('document.body.dataset.state')) === state) return true;
              const trouble = `${await text('state')} ${await text('trouble')}`;
              throw new Error(`${trouble}\n${page.console?.().slice(-20).join('\n') ?? ''}`);
            },
            { withinMs: 60_000 },
          );

        // The token is in the form, and in no address, history or log.
        await inState('joining');
        expect(await page.evaluate('location.href')).toBe(`${at}/device/`);
        expect(await page.evaluate(`${query}('#token').value`)).toBe(token);
        await page.evaluate(
          `void (${query}('#name').value = '${name}', ${query}('#send').click())`,
        );
        await inState('connected');
        expect(await page.evaluate(`${query}('#token').value`)).toBe('');
        const device = await eventually('the device is Ready', async () => {
          const found = await plane.client.get(deviceResource, name);
          return findCondition(found.status?.conditions, 'Ready')?.status === 'True' && found;
        });
        expect(device.spec.platform).toBe('linux/arm64');
        expect(device.status).toMatchObject({ runtimes: ['wasm'], presence: { connected: true } });

        // What it is sent: a package, and a program that goes on.
        await plane.client.create(installResource, installOf(name, 'busybox', {}));
        const loop = 'echo begins; while :; do sleep 1; done';
        const run = { command: ['sh', '-c', loop], restart: 'Always' as const };
        await plane.client.create(installResource, installOf(name, 'loop', { run }));
        await ready(`${name}.busybox`);
        await ready(`${name}.loop`);
        const rows = `[...document.querySelectorAll('#installs tr')].map((row) => row.dataset.formula + ' ' + row.dataset.state).sort()`;
        await eventually('the page shows both', async () => {
          const shown = await page.evaluate<readonly string[]>(rows);
          return shown.join() === 'busybox Ready,loop Ready';
        });

        // Its user in the terminal, and users elsewhere.
        const command = 'sh -c "echo $((6*7)) is $(cat /etc/motd); exit 3"';
        await page.evaluate(
          `void (${query}('#command').value = ${JSON.stringify(command)}, ${query}('#start').click())`,
        );
        await eventually('its end', async () => (await text('outcome')) === 'exit code 3', {
          withinMs: 60_000,
        });
        // It is drawn with the next frame, which a busy machine is late with.
        await eventually('what it wrote', async () => {
          const screen = await page.evaluate<string>(`${query}('.xterm-rows').textContent`);
          return screen.includes('42 is made of two layers');
        });
        const within = await runTapline(
          ['exec', 'loop', '--on', name, '--kubeconfig', plane.kubeconfig, '--', 'sh', '-c'].concat(
            'read line; echo "$line in $HOSTNAME"; exit 23',
          ),
          { stdin: 'typed\n' },
        );
        expect(within).toMatchObject({ code: 23, out: expect.stringContaining('typed in') });
        expect(await tapline('logs', `${name}.loop`)).toBe('begins');

        // A page that was closed is the device again when it is opened, and starts what it had.
        await page.goTo(`${at}/device/`);
        await inState('connected');
        await eventually(
          'the program runs again',
          async () => (await tapline('logs', `${name}.loop`)) === 'begins',
          { withinMs: 60_000 },
        );

        // Revoked: its session ends at once, and it hears why it is let in no more.
        await page.evaluate(
          `void new MutationObserver(() => { if (document.body.dataset.state !== 'connected') globalThis.left ??= Date.now(); }).observe(document.body, { attributes: true })`,
        );
        const fromMs = Date.now();
        const body = { metadata: { annotations: { [deviceKeyAnnotation]: revokedDeviceKey } } };
        await plane.client.patch(deviceResource, name, { kind: 'merge', body });
        await inState('refused');
        expect(await text('state')).toContain('revoked');
        took.push((await page.evaluate<number>('globalThis.left')) - fromMs);

        // Asked twice it keeps nothing, and could join anew, by a link that is opened in the same tab.
        await page.evaluate(`void (${query}('#forget').click(), ${query}('#forget').click())`);
        await inState('joining');
        await page.evaluate(`void (location.hash = 'tlj.another.link.a')`);
        await eventually('its token', async () => {
          const filled = await page.evaluate(`${query}('#token').value`);
          return filled === 'tlj.another.link.a';
        });

        const secret = token.split('.').at(-2) ?? token;
        expect(plane.output()).not.toContain(secret);
        const said = page.console?.().join('\n') ?? '';
        expect(said).not.toContain(secret);
        expect(said).not.toMatch(/Content Security Policy/i);
      },
    );
  },
);

const noBrowser = browsers.every(({ missing }) => missing !== undefined);
test.skipIf(debian !== undefined || noBrowser)(
  'what was revoked had its session ended within a second',
  () => {
    // The best of them: a busy machine may hold any one up.
    expect(Math.min(Number.POSITIVE_INFINITY, ...took)).toBeLessThan(1000);
  },
);

test.skipIf(debian !== undefined)('the link is printed below its QR code', async () => {
  const [link = '', ...code] = (await tapline('token', 'create', '--page'))
    .split('\n')
    .toReversed();
  expect(link).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/device\/#tlj\.[\w.-]+$/);
  // As tall as it is wide, two modules in a character's height.
  expect(code.every((row) => /^[ ▀▄█]+$/.test(row))).toBe(true);
  expect(code.length).toBe(Math.ceil((code.at(-1)?.length ?? 0) / 2));
  const words = ['token', 'create', '--page', '--user', 'dana', '--kubeconfig', plane.kubeconfig];
  expect(await runTapline(words)).toMatchObject({ err: expect.stringContaining('--page is for') });
});

test.skipIf(debian !== undefined)('a page is not linked to where none is served', async () => {
  const folder = opened.use(await temporaryFolder());
  await using other = await startControlPlaneProcess(folder.path, {
    HOMEBREW_API_DOMAIN: 'http://127.0.0.1:9',
    XDG_CONFIG_HOME: join(folder.path, 'config'),
  });
  const words = ['token', 'create', '--page', '--kubeconfig', other.kubeconfig];
  const { code, err } = await runTapline(words);
  expect(code).not.toBe(0);
  expect(err).toContain('start it with `tapline up --device-page`');
});
