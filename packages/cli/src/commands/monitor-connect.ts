import { writeFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { isSystemError, TaplineError } from '@tapline/base';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { requiredTextFlag, textFlag, textFlagWithDefault } from '../framework/flag.ts';
import { type LoginFlags, readLogin } from '../monitor/read-login.ts';
import { readFileOf } from '../monitor/read-file-of.ts';

export const monitorConnect: Command = defineCommand({
  summary:
    'Try out an Icinga 2, and write the file with which a control plane has it watch devices',
  description:
    'Nothing is changed in Icinga yet. The certificate authority is the one of Icinga, /var/lib/icinga2/certs/ca.crt there, and no other is believed. What the account has to be allowed is in docs/guides/monitoring.md.',
  examples: [
    {
      command:
        'tapline monitor connect https://icinga.example.net:5665 --ca-file icinga-ca.crt --username tapline --password-file icinga-password',
      explains: 'writes monitoring.yaml; then tapline up --monitoring-config monitoring.yaml',
    },
    {
      command:
        'tapline monitor connect https://10.0.0.5:5665 --server-name icinga-master --ca-file ca.crt --certificate-file tapline.crt --key-file tapline.key',
      explains: 'by certificate; the URL and the name in Icinga’s certificate differ',
    },
  ],
  positionals: [{ name: 'URL', description: "of Icinga's API, https://HOST:5665", required: true }],
  flags: {
    caFile: requiredTextFlag('The certificate authority of Icinga, PEM', { valueName: 'FILE' }),
    serverName: textFlag("The name in Icinga's certificate, where it is not the URL's host", {
      valueName: 'NAME',
    }),
    username: textFlag('An ApiUser of Icinga', { valueName: 'NAME' }),
    passwordFile: textFlag('Its password', { valueName: 'FILE' }),
    certificateFile: textFlag('A certificate that an ApiUser has as client_cn, PEM', {
      valueName: 'FILE',
    }),
    keyFile: textFlag('Its key, PEM', { valueName: 'FILE' }),
    instance: textFlagWithDefault('Which Tapline this is, where several share an Icinga', {
      valueName: 'NAME',
      default: 'default',
    }),
    prefix: textFlag('Before the names of hosts', { valueName: 'TEXT' }),
    file: textFlagWithDefault('What to write', {
      short: 'f',
      valueName: 'FILE',
      default: 'monitoring.yaml',
    }),
  },
  async run({ console, positionals: [url = ''], flags }) {
    const { createIcingaClient, missingPermissions } = await import('@tapline/monitoring');
    const login = await readLogin(flags);
    const { serverName } = flags;
    await using client = createIcingaClient({
      endpoint: { url: checked(url), caPem: await readFileOf(flags.caFile), serverName, login },
      timeoutMs: 10_000,
    });
    const { user, version, permissions } = await client.info({ signal: console.signal });
    const missing = missingPermissions(permissions);
    if (missing.length > 0) {
      throw new TaplineError(
        'icinga_denied',
        `${user} may not do all that is needed: ${missing.join(', ')}`,
        { hint: 'add these to the permissions of the ApiUser, and reload Icinga' },
      );
    }
    const { stringify } = await import('yaml');
    await writeNew(flags.file, stringify(configuration(url, flags)));
    console.write(`Icinga ${version} answers ${user}, who may do what is needed\n`);
    console.note(`next: tapline up --monitoring-config ${flags.file}\n`);
    return exitCode.ok;
  },
});

interface FileFlags extends LoginFlags {
  readonly caFile: string;
  readonly serverName: string | undefined;
  readonly instance: string;
  readonly prefix: string | undefined;
  readonly file: string;
}

/** Paths as the control plane reads them: from the folder of the file. */
function configuration(url: string, flags: FileFlags): unknown {
  const folder = dirname(resolve(flags.file));
  const from = (path: string): string => relative(folder, resolve(path));
  const { serverName, prefix, instance, username, passwordFile, certificateFile, keyFile } = flags;
  const login =
    username === undefined
      ? { certificateFile: from(certificateFile ?? ''), keyFile: from(keyFile ?? '') }
      : { username, password: { file: from(passwordFile ?? '') } };
  return {
    icinga: {
      url,
      caFile: from(flags.caFile),
      ...(serverName !== undefined && { serverName }),
      login,
      instance,
      ...(prefix !== undefined && { prefix }),
    },
  };
}

async function writeNew(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    if (!isSystemError(cause, 'EEXIST')) throw cause;
    throw new TaplineError('usage', `${path} is there already`, {
      hint: 'delete it, or name another with --file',
    });
  }
}

function checked(url: string): string {
  if (URL.canParse(url) && new URL(url).protocol === 'https:') return url;
  throw new TaplineError('usage', `${JSON.stringify(url)} is no https URL`, {
    hint: 'write it as https://HOST:5665',
  });
}
