import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { requiredTextFlag } from '../framework/flag.ts';
import { parseTarget } from '../ops/parse-target.ts';
import { requestRemediation } from '../ops/request-remediation.ts';
import { textOrJsonFlag } from '../output/output-flags.ts';

export const opsRequest: Command = defineCommand({
  summary: 'Ask OpsBot to run a playbook on an object; another person has to approve it',
  examples: [
    {
      command: 'tapline ops request full-disk node/edge-1 --reason "disk is to be replaced"',
      explains: 'then tapline ops show, and somebody else approves',
    },
  ],
  positionals: [
    { name: 'PLAYBOOK', description: 'the playbook', required: true },
    { name: 'KIND/NAME', description: 'the object', required: true },
  ],
  flags: {
    reason: requiredTextFlag('Why, for who approves it'),
    output: textOrJsonFlag,
    ...connectionFlags,
  },
  async run({ console, positionals: [playbook = '', word = ''], flags }) {
    const target = parseTarget(word);
    const connection = await connect(flags, console);
    const { reason } = flags;
    const { signal } = console;
    const asked = { playbook, target, reason, signal };
    const remediation = await requestRemediation(connection, asked);
    const { name } = remediation.metadata;
    console.write(
      flags.output === 'json'
        ? `${JSON.stringify(remediation)}\n`
        : `remediation ${name} is asked for\n`,
    );
    console.note(`next: tapline ops show ${name}\n`);
    return exitCode.ok;
  },
});
