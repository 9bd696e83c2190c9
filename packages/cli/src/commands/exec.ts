import { TaplineError } from '@tapline/base';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { execOnDevice } from '../connection/exec-on-device.ts';
import { resolveInstall } from '../connection/resolve-install.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { textFlag } from '../framework/flag.ts';

export const exec: Command = defineCommand({
  summary: 'Run a program of an installed package on its device',
  description:
    'Standard input, output and error are the program’s, and so is the exit code. What runs as a service is entered; a command-line tool gets a container of its own.',
  examples: [
    {
      command: 'echo \'{"a":1}\' | tapline exec jq --on ipad-1 -- jq .a',
      explains: 'with standard input',
    },
    {
      command: 'tapline exec edge-2.bash -- bash -c "uname -a"',
      explains: 'by the name of the install',
    },
  ],
  positionals: [
    {
      name: 'INSTALL',
      description: 'DEVICE.FORMULA, or a formula with --on',
      required: true,
      complete: 'installs',
    },
  ],
  flags: {
    on: textFlag('Which device', { valueName: 'DEVICE' }),
    ...connectionFlags,
  },
  passesThrough: 'COMMAND ARGUMENT...',
  async run({ console, positionals: [text = ''], flags, passedThrough }) {
    if (passedThrough.length === 0) {
      throw new TaplineError('usage', 'no command is given', {
        hint: `write it after --, such as tapline exec ${text} -- ${text} --version`,
      });
    }
    const { client, context } = await connect(flags, console);
    const install = await resolveInstall(client, { text, device: flags.on });
    return await execOnDevice(context, { install, command: passedThrough }, console);
  },
});
