import { TaplineError } from '@tapline/base';
import { tokenResource, type TokenSpec } from '@tapline/resources';
import { createHash, randomBytes } from 'node:crypto';
import { connect, type Connection } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { parseLabels } from '../connection/parse-labels.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import {
  booleanFlag,
  durationFlag,
  integerFlag,
  listFlag,
  textFlag,
  textFlagWithDefault,
} from '../framework/flag.ts';

const minTtlMs = 1;

export const tokenCreate: Command = defineCommand({
  summary: 'Make a token that lets devices join, or a user in',
  description:
    'The secret is made here and printed once; the control plane keeps only its hash. A join token carries the fingerprint of the control plane, which a device checks before it shows the token.',
  examples: [
    { command: 'tapline token create', explains: 'one device, within an hour' },
    {
      command: 'tapline token create --label team=design --uses 30 --ttl 8h',
      explains: 'thirty devices, all of that team',
    },
    {
      command: 'tapline token create --page',
      explains: 'a link and its QR code: the browser that opens it becomes a device',
    },
    {
      command: 'tapline token create --user dana --group tapline:viewer --ttl 90d',
      explains: 'for a user, not a device',
    },
  ],
  positionals: [],
  flags: {
    label: listFlag('Labels that each device gets', { short: 'l', valueName: 'KEY=VALUE' }),
    uses: integerFlag('How many devices it lets in', { min: 1, max: 1_000_000, default: 1 }),
    ttl: durationFlag('How long it is good for', { default: '1h' }),
    role: textFlagWithDefault('What joins', { choices: ['device', 'node'], default: 'device' }),
    page: booleanFlag(
      'Print a link, and its QR code, that a browser becomes a device with; the control plane has to run with --device-page',
    ),
    pageUrl: textFlag(
      'Where the page is reached, such as a proxy; the control plane itself unless given',
      {
        valueName: 'URL',
      },
    ),
    user: textFlag('Make an access token for this user', { valueName: 'NAME' }),
    group: listFlag('Groups of that user', { valueName: 'NAME' }),
    output: textFlagWithDefault('How to print it', {
      short: 'o',
      valueName: 'FORMAT',
      choices: ['text', 'json'],
      default: 'text',
    }),
    ...connectionFlags,
  },
  async run({ console, flags }) {
    if (flags.ttl < minTtlMs) {
      throw new TaplineError(
        'usage',
        `--ttl is ${flags.ttl} ms; it must be at least ${minTtlMs} ms`,
      );
    }
    const connection = await connect(flags, console);
    const page = await pageServer(flags, connection);
    const secret = randomBytes(32).toString('base64url');
    const name = `${flags.user === undefined ? 'join' : 'access'}-${randomBytes(5).toString('hex')}`;
    const expiresAt = new Date(console.clock.now() + flags.ttl).toISOString();
    const labels = parseLabels(flags.label);
    const shared = { hash: createHash('sha256').update(secret).digest('hex'), expiresAt };
    const spec: TokenSpec =
      flags.user === undefined
        ? {
            ...shared,
            purpose: 'Join',
            uses: flags.uses,
            role: flags.role === 'node' ? 'node' : 'device',
            ...(Object.keys(labels).length === 0 ? {} : { labels }),
          }
        : {
            ...shared,
            purpose: 'Access',
            uses: 1,
            role: 'device',
            user: flags.user,
            groups: [...flags.group],
          };
    await connection.client.create(
      tokenResource,
      { metadata: { name }, spec },
      { signal: console.signal },
    );
    const token = await tokenText(connection, { name, secret, purpose: spec.purpose });
    if (flags.output === 'json') {
      console.write(
        `${JSON.stringify({
          token,
          name,
          expiresAt,
          server: connection.context.baseUrl,
          ...(page !== undefined && { link: await joinLink(page, token) }),
        })}\n`,
      );
      return exitCode.ok;
    }
    if (page !== undefined) {
      const { drawQrCode } = await import('../output/draw-qr-code.ts');
      const link = await joinLink(page, token);
      console.write(`${drawQrCode(link)}${link}\n`);
      console.note(
        `in the browser that is to be a device: open the link, good until ${expiresAt}\n`,
      );
      return exitCode.ok;
    }
    console.write(`${token}\n`);
    if (spec.purpose === 'Join') {
      console.note(`on the device: tapline join ${connection.context.baseUrl} --token ${token}\n`);
    }
    return exitCode.ok;
  },
});

/** Whose page the link is to; undefined where none is wanted. Throws `usage`, `device_page_off`. */
async function pageServer(
  flags: {
    readonly page: boolean;
    readonly pageUrl: string | undefined;
    readonly user: string | undefined;
    readonly role: string;
  },
  { context }: Connection,
): Promise<string | undefined> {
  const { pageUrl } = flags;
  if (!flags.page && pageUrl === undefined) return undefined;
  if (flags.user !== undefined || flags.role === 'node') {
    throw new TaplineError('usage', 'a page joins as a device; --page is for tokens of devices');
  }
  const { checkDevicePage, parsePageUrl } = await import('../device/device-page.ts');
  if (pageUrl !== undefined) return parsePageUrl(pageUrl);
  await checkDevicePage(context);
  return context.baseUrl;
}

async function joinLink(server: string, token: string): Promise<string> {
  const { formatJoinLink } = await import('@tapline/gateway');
  return formatJoinLink(server, token);
}

async function tokenText(
  connection: Connection,
  token: { readonly name: string; readonly secret: string; readonly purpose: TokenSpec['purpose'] },
): Promise<string> {
  const { name, secret } = token;
  if (token.purpose === 'Access') return `tla.${name}.${secret}`;
  const { ca } = connection.context;
  if (ca === undefined) {
    throw new TaplineError(
      'no_ca',
      'the kubeconfig names no certificate authority, so no device could check it',
      {
        hint: 'use the kubeconfig that `tapline up` wrote',
      },
    );
  }
  const { X509Certificate } = await import('node:crypto');
  const { formatJoinToken } = await import('@tapline/gateway');
  const caFingerprint = createHash('sha256')
    .update(new X509Certificate(ca).raw)
    .digest('base64url');
  return formatJoinToken({ name, secret, caFingerprint });
}
