import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { textFlag } from '../framework/flag.ts';
import { sendApproval } from '../ops/send-approval.ts';
import { registryOutput } from '../registry/registry-flags.ts';

export const opsReject: Command = defineCommand({
  summary: 'Have OpsBot leave something, and tell it why',
  description:
    'The digest is of the plan, its target and every value in it. Where any of that has changed since, this is refused. Only people may: tokens of programs and devices are refused, and so is who asked for it.',
  examples: [
    {
      command: 'tapline ops reject full-disk.4f1c0a9b2d 9a6d31f0c2b7 --reason "looked at it"',
      explains: 'it is not done, and not asked again for this fault',
    },
  ],
  positionals: [
    { name: 'REMEDIATION', description: 'what waits for an approval', required: true },
    { name: 'DIGEST', description: 'of what was shown, or its first 8 digits', required: true },
  ],
  flags: {
    reason: textFlag('Why, for the record'),
    output: registryOutput,
    ...connectionFlags,
  },
  async run({ console, positionals: [name = '', digest = ''], flags }) {
    const connection = await connect(flags, console);
    const { reason, output } = flags;
    const { signal } = console;
    const given = { name, digest, decision: 'Rejected', reason, signal } as const;
    const remediation = await sendApproval(connection, given);
    console.write(
      output === 'json' ? `${JSON.stringify(remediation)}\n` : `remediation ${name} is rejected\n`,
    );
    return exitCode.ok;
  },
});
