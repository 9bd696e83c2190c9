import { systemClock } from '@tapline/base';
import { type PlayerReport, startPlayerPage } from '@tapline/cli';
import { eventually, startBrowser } from '@tapline/testing';
import type { ChannelSystem, EdgeNode } from './start-channel-system.ts';

export const forms = ['vod', 'live', 'll'] as const;
type Form = (typeof forms)[number];

/** Players of a film, a live and a low-latency stream, of which each tells of itself. */
export interface Players extends AsyncDisposable {
  /** Each of them, once it has played that much since it began. */
  after(seconds: number): Promise<readonly PlayerReport[]>;
}

/** A channel for each form of the stream, on two nodes; a drained one serves on for a while. */
export function channelsOf(originUrl: string): string {
  return forms
    .map(
      (form) => `
apiVersion: tapline.dev/v1alpha1
kind: Channel
metadata: { name: ${form} }
spec:
  origin: { url: ${originUrl}/${form}/main.m3u8 }
  edges: { replicas: 2, leaveSeconds: 6 }
  cache: { playlistSeconds: ${form === 'll' ? 0.2 : 0.5} }
  objectives: { hitRatio: 0.7 }
`,
    )
    .join('---\n');
}

/** Has hls.js in Chromium play all of them, beginning on the edge of that node. */
export async function startPlayers(
  system: ChannelSystem,
  about: { readonly node: string; readonly script: string; readonly withinMs: number },
): Promise<Players> {
  await using opened = new AsyncDisposableStack();
  const urls = new Map<Form, string>();
  for (const form of forms) {
    const { status } = await system.until(
      form,
      `${form} is ready`,
      (one) => one.status?.step === 'Ready',
    );
    const edge = (status?.edges ?? []).find(({ node }) => node === about.node);
    urls.set(form, `${edge?.url}/${form}/~tapline/index.m3u8`);
  }
  const page = opened.use(await startPlayerPage(about.script));
  const browser = opened.use(
    await startBrowser({ args: ['--autoplay-policy=no-user-gesture-required'] }),
  );
  const plays = (form: Form, seconds: number): Promise<PlayerReport> =>
    eventually(
      `${form} has played ${seconds} s`,
      () => {
        const report = page.report(urls.get(form) ?? '');
        if (report !== undefined && report.fatal.length > 0) {
          throw new Error(`${form}: ${report.fatal.join('; ')}`);
        }
        return report !== undefined && report.seconds >= seconds ? report : undefined;
      },
      { withinMs: about.withinMs },
    );
  const begun = new Map<Form, number>();
  for (const form of forms) {
    await browser.open(page.pageOf(urls.get(form) ?? ''));
    begun.set(form, (await plays(form, 0.1)).seconds);
  }
  const owned = opened.move();
  return {
    after: (seconds) =>
      Promise.all(forms.map((form) => plays(form, (begun.get(form) ?? 0) + seconds))),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** How long after its node is gone each channel is whole again, on others. */
export async function timeOfMoves(
  system: ChannelSystem,
  { victim, end }: { readonly victim: EdgeNode; readonly end: () => Promise<void> },
): Promise<readonly number[]> {
  const fromMs = systemClock.monotonic();
  await end();
  return await Promise.all(
    forms.map(async (form) => {
      await system.until(form, `${form} is whole again`, ({ status }) => {
        const ready = (status?.edges ?? []).filter(({ state }) => state === 'Ready');
        return ready.length === 2 && ready.every(({ node }) => node !== victim.name);
      });
      return systemClock.monotonic() - fromMs;
    }),
  );
}
