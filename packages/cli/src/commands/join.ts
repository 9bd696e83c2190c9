import { TaplineError } from '@tapline/base';
import { hostname } from 'node:os';
import { parseLabels } from '../connection/parse-labels.ts';
import { agentFlags, runtimeOf } from '../device/agent-flags.ts';
import { agentDataDirectory, runAgent } from '../device/run-agent.ts';
import { readJoinToken } from '../device/read-join-token.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag, listFlag, textFlag } from '../framework/flag.ts';

export const join: Command = defineCommand({
  summary: 'Make this machine a device of a control plane, and run its agent',
  description:
    'Makes a key that never leaves this machine, checks that the control plane is the one the token names, and has the key certified.',
  examples: [
    {
      command:
        'tapline join https://tapline.example.net:7443 --token-file token --label team=design',
      explains: 'as the name of this host',
    },
    {
      command: 'tapline join https://10.0.0.5:7443 --token-file - --name edge-7 --no-run < token',
      explains: 'and leave running it to a service manager',
    },
  ],
  positionals: [{ name: 'URL', description: 'where the control plane is', required: true }],
  flags: {
    token: textFlag(
      'What `tapline token create` printed; on a command line all users of this machine can read it',
      { valueName: 'TOKEN', environment: 'TAPLINE_TOKEN' },
    ),
    tokenFile: textFlag('A file with it, or - for standard input', { valueName: 'FILE' }),
    name: textFlag('Name of the device; absent that of this host', { valueName: 'NAME' }),
    label: listFlag('Labels of the device', { short: 'l', valueName: 'KEY=VALUE' }),
    noRun: booleanFlag('Join only; `tapline agent` runs it later'),
    ...agentFlags,
  },
  async run({ console, positionals: [url = ''], flags }) {
    if (!URL.canParse(url) || new URL(url).protocol !== 'https:') {
      throw new TaplineError('usage', `${JSON.stringify(url)} is no https URL`, {
        hint: 'use the one that `tapline token create` shows',
      });
    }
    const { agentPlatform, joinDevice } = await import('@tapline/agent');
    const { device } = await joinDevice({
      dataDirectory: agentDataDirectory(flags.data, console.environment),
      server: new URL(url),
      token: await readJoinToken({ given: flags.token, file: flags.tokenFile }, console.stdin),
      name: flags.name ?? hostname().toLowerCase(),
      platform: agentPlatform(runtimeOf(flags)),
      labels: parseLabels(flags.label),
      clock: console.clock,
      signal: console.signal,
    });
    console.write(`joined ${url} as ${device}\n`);
    return flags.noRun ? exitCode.ok : await runAgent(flags, console);
  },
});
