import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { type Command, defineCommand } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { textFlag } from '../framework/flag.ts';
import { textOrJsonFlag } from '../output/output-flags.ts';
import { sendApproval } from './send-approval.ts';

/** What a person says of something that waits: the same command for either decision. */
export function approvalCommand(about: {
  readonly decision: 'Approved' | 'Rejected';
  readonly summary: string;
  readonly example: { readonly command: string; readonly explains: string };
}): Command {
  const { decision, summary, example } = about;
  return defineCommand({
    summary,
    description:
      'The digest is of the plan, its target and every value in it. Where any of that has changed since, this is refused. Only people may: tokens of programs and devices are refused, and so is who asked for it.',
    examples: [example],
    positionals: [
      { name: 'REMEDIATION', description: 'what waits for an approval', required: true },
      { name: 'DIGEST', description: 'of what was shown, or its first 8 digits', required: true },
    ],
    flags: {
      reason: textFlag('Why, for the record'),
      output: textOrJsonFlag,
      ...connectionFlags,
    },
    async run({ console, positionals: [name = '', digest = ''], flags }) {
      const connection = await connect(flags, console);
      const { reason, output } = flags;
      const { signal } = console;
      const remediation = await sendApproval(connection, {
        name,
        digest,
        decision,
        reason,
        signal,
      });
      console.write(
        output === 'json'
          ? `${JSON.stringify(remediation)}\n`
          : `remediation ${name} is ${decision.toLowerCase()}\n`,
      );
      return exitCode.ok;
    },
  });
}
