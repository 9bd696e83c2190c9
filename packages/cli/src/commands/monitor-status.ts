import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { describeMonitoring, type MonitoringAnswer } from '../monitor/describe-monitoring.ts';
import { adminJson } from '../registry/admin-request.ts';
import { textOrJsonFlag } from '../output/output-flags.ts';

export const monitorStatus: Command = defineCommand({
  summary: 'Show whether Icinga has what is deployed, and what it sees as a problem',
  description: 'Ends with 1 where Icinga is not followed or hosts are not as they are wanted.',
  examples: [
    { command: 'tapline monitor status', explains: 'for people' },
    { command: 'tapline monitor status -o json', explains: 'for programs' },
  ],
  positionals: [],
  flags: { output: textOrJsonFlag, ...connectionFlags },
  async run({ console, flags }) {
    const { context } = await connect(flags, console);
    const path = '/monitoring/v1/status';
    const answer = await adminJson<MonitoringAnswer>(context, { method: 'GET', path }, console);
    console.write(
      flags.output === 'json'
        ? `${JSON.stringify(answer)}\n`
        : describeMonitoring(answer, console.clock.now()),
    );
    const { icinga } = answer;
    if (icinga === undefined) return exitCode.ok;
    const isWell =
      icinga.following.live && icinga.registration.wanted === icinga.registration.registered;
    return isWell ? exitCode.ok : exitCode.failed;
  },
});
