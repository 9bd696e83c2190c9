import { isTaplineError, TaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import {
  type Channel,
  channelResource,
  type Enrolment,
  enrolmentResource,
  findCondition,
} from '@tapline/resources';
import { channelPositional, formatFlag } from '../channel/channel-flags.ts';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { type Command, defineCommand } from '../framework/command.ts';
import type { Console } from '../framework/console.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag, textFlag } from '../framework/flag.ts';

const patienceMs = 10_000;
const lookEveryMs = 50;

export const channelOnboard: Command = defineCommand({
  summary: 'Print the link of the signed profile that brings a channel to an iPhone',
  description:
    "The profile is that of the channel's Enrolment: the one that spec.enrolment names, or one whose spec.channel is the channel. Where there is none, one is made with an icon for the Home screen that plays it. With --qr the camera of a phone reads the link from the terminal.",
  examples: [
    { command: 'tapline channel onboard news --qr', explains: 'the link and its QR code' },
    {
      command: 'tapline channel onboard news --title "News at ten" -o json',
      explains: 'named so on the device, and for programs',
    },
  ],
  positionals: [channelPositional],
  flags: {
    qr: booleanFlag('Draw its QR code, too'),
    title: textFlag('What the device shows, where the profile is made now', { valueName: 'TEXT' }),
    output: formatFlag,
    ...connectionFlags,
  },
  async run({ console, positionals: [name = ''], flags }) {
    const { client } = await connect(flags, console);
    const channel = await client.get(channelResource, name, { signal: console.signal });
    const enrolment =
      (await findEnrolment(client, channel, console)) ??
      (await createEnrolment(client, channel, { title: flags.title ?? name, console }));
    const { url, expiresAt, downloads = 0 } = await served(client, enrolment, console);
    if (flags.output === 'json') {
      const { name: enrolmentName } = enrolment.metadata;
      const answer = { enrolment: enrolmentName, url, expiresAt, downloads };
      console.write(`${JSON.stringify(answer)}\n`);
      return exitCode.ok;
    }
    if (flags.qr) {
      const { drawQrCode } = await import('../output/draw-qr-code.ts');
      console.write(drawQrCode(url));
    }
    console.write(`${url}\n`);
    console.note(`good until ${expiresAt ?? '?'}, fetched ${downloads} times so far\n`);
    return exitCode.ok;
  },
});

async function findEnrolment(
  client: ResourceClient,
  { metadata, spec }: Channel,
  { signal }: Console,
): Promise<Enrolment | undefined> {
  if (spec.enrolment !== undefined) {
    return await client.get(enrolmentResource, spec.enrolment, { signal });
  }
  const fieldSelector = `spec.channel=${metadata.name}`;
  const { items } = await client.list(enrolmentResource, { fieldSelector, signal });
  return items[0];
}

async function createEnrolment(
  client: ResourceClient,
  { metadata, status }: Channel,
  { title, console }: { readonly title: string; readonly console: Console },
): Promise<Enrolment> {
  if (status?.url === undefined) {
    const { message = 'it is not looked at yet' } =
      findCondition(status?.conditions, 'Ready') ?? {};
    throw new TaplineError(
      'not_served',
      `channel ${metadata.name} is served by no edge: ${message}`,
      { hint: `look at it with \`tapline describe channel ${metadata.name}\`` },
    );
  }
  const { signal } = console;
  try {
    return await client.create(
      enrolmentResource,
      {
        metadata: { name: metadata.name },
        spec: {
          channel: metadata.name,
          title,
          system: 'iOS',
          payloads: [{ id: 'watch', name: title, webClip: { url: status.url } }],
          link: { seconds: 604_800, generation: 1, revoked: false },
        },
      },
      { signal },
    );
  } catch (error) {
    if (!isTaplineError(error, 'already_exists')) throw error;
    throw new TaplineError(
      'already_exists',
      `enrolment ${metadata.name} is there, and for another channel`,
      { cause: error, hint: 'name the enrolment of the channel in spec.enrolment' },
    );
  }
}

/** Its link is there as soon as the control plane has seen it. */
async function served(
  client: ResourceClient,
  { metadata: { name } }: Enrolment,
  { clock, signal }: Console,
): Promise<{
  readonly url: string;
  readonly expiresAt?: string | undefined;
  readonly downloads?: number | undefined;
}> {
  const fromMs = clock.monotonic();
  for (;;) {
    const { status } = await client.get(enrolmentResource, name, { signal });
    if (status?.url !== undefined) return { ...status, url: status.url };
    const ready = findCondition(status?.conditions, 'Ready');
    if (ready !== undefined || clock.monotonic() - fromMs > patienceMs) {
      const why = ready?.message ?? 'it is not ready yet';
      throw new TaplineError('no_link', `enrolment ${name} has no link: ${why}`, {
        hint: `look at it with \`tapline describe enrolment ${name}\``,
      });
    }
    await clock.sleep(lookEveryMs, { signal });
  }
}
