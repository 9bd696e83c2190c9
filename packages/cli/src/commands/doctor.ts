import { TaplineError } from '@tapline/base';
import { connectionFlags } from '../connection/connection-flags.ts';
import { judgePath } from '../doctor/judge-path.ts';
import { observePath } from '../doctor/observe-path.ts';
import { chooseTarget } from '../doctor/choose-target.ts';
import { formatFindings } from '../doctor/format-findings.ts';
import { type Command, defineCommand } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { textFlag, textFlagWithDefault } from '../framework/flag.ts';

export const doctor: Command = defineCommand({
  summary: 'Find what is wrong on the way from this machine to its control plane',
  description:
    'Looks at the name, the connection, the certificate, the clocks, whether the way leads through a VPN and what carries that, how large packets may be, and the certificate of the device. Needs no rights and shows no credentials; run as root it also names the program of a VPN. Ends with 1 where it found an error. Codes of findings are stable.',
  examples: [
    { command: 'tapline doctor', explains: 'on a device that has joined, or beside a kubeconfig' },
    {
      command: 'tapline doctor https://tapline.example.net:7443',
      explains: 'before this machine joins',
    },
    { command: 'tapline doctor -o json', explains: 'for programs' },
  ],
  positionals: [
    {
      name: 'URL',
      description: 'the control plane; absent the one that this machine has joined',
      required: false,
    },
  ],
  flags: {
    data: textFlag('Data folder of the device', {
      valueName: 'DIR',
      environment: 'TAPLINE_AGENT_DATA',
    }),
    output: textFlagWithDefault('How to print it', {
      short: 'o',
      valueName: 'FORMAT',
      choices: ['text', 'json'],
      default: 'text',
    }),
    ...connectionFlags,
  },
  async run({ console, positionals: [url], flags }) {
    if (url !== undefined && (!URL.canParse(url) || new URL(url).protocol !== 'https:')) {
      throw new TaplineError('usage', `${JSON.stringify(url)} is no https URL`, {
        hint: 'use the one that `tapline token create` shows',
      });
    }
    const target = await chooseTarget({ ...flags, url }, console);
    const { clock, signal } = console;
    const findings = judgePath(await observePath(target.server, { ...target, clock, signal }));
    console.write(
      flags.output === 'json'
        ? `${JSON.stringify({ server: target.server.origin, findings }, undefined, 2)}\n`
        : formatFindings(target.server, findings),
    );
    return findings.some(({ level }) => level === 'error') ? exitCode.failed : exitCode.ok;
  },
});
