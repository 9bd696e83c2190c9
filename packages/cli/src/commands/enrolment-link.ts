import { TaplineError } from '@tapline/base';
import { enrolmentResource, findCondition } from '@tapline/resources';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { type Command, defineCommand } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag, textFlagWithDefault } from '../framework/flag.ts';

export const enrolmentLink: Command = defineCommand({
  summary: 'Print the link under which devices get a configuration profile',
  description:
    'The link of an Enrolment is good until it expires or is revoked, and can be used again and again until then. With --qr the camera of a phone reads it from the terminal.',
  examples: [
    { command: 'tapline enrolment link news', explains: 'the link' },
    { command: 'tapline enrolment link news --qr', explains: 'and its QR code' },
  ],
  positionals: [{ name: 'ENROLMENT', description: 'the enrolment', required: true }],
  flags: {
    qr: booleanFlag('Draw its QR code, too'),
    output: textFlagWithDefault('How to print it', {
      short: 'o',
      valueName: 'FORMAT',
      choices: ['text', 'json'],
      default: 'text',
    }),
    ...connectionFlags,
  },
  async run({ console, positionals, flags }) {
    const [name = ''] = positionals;
    const { client } = await connect(flags, console);
    const { status } = await client.get(enrolmentResource, name, { signal: console.signal });
    if (status?.url === undefined) {
      const ready = findCondition(status?.conditions, 'Ready');
      const why = ready?.message ?? 'it is not ready yet';
      throw new TaplineError('no_link', `enrolment ${name} has no link: ${why}`, {
        hint: `look at it with \`tapline describe enrolment ${name}\``,
      });
    }
    const { url, expiresAt, downloads = 0 } = status;
    if (flags.output === 'json') {
      console.write(`${JSON.stringify({ url, expiresAt, downloads })}\n`);
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
