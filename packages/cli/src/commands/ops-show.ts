import { isTaplineError, TaplineError } from '@tapline/base';
import { incidentResource, remediationResource } from '@tapline/resources';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { describeIncident, describeRemediation } from '../ops/describe-ops.ts';
import { textOrJsonFlag } from '../output/output-flags.ts';

export const opsShow: Command = defineCommand({
  summary: 'Show an incident or a remediation: what was seen, decided, why, done and checked',
  examples: [
    { command: 'tapline ops show dead-node.4f1c0a9b2d', explains: 'a remediation, with its plan' },
    {
      command: 'tapline ops show node-edge-1-0c9d11aa -o json',
      explains: 'an incident, for programs',
    },
  ],
  positionals: [{ name: 'NAME', description: 'the incident or remediation', required: true }],
  flags: { output: textOrJsonFlag, ...connectionFlags },
  async run({ console, positionals: [name = ''], flags }) {
    const { client } = await connect(flags, console);
    const { signal } = console;
    const nowMs = console.clock.now();
    const [remediation, incident] = await Promise.all([
      client.get(remediationResource, name, { signal }).catch(orNone),
      client.get(incidentResource, name, { signal }).catch(orNone),
    ]);
    const found = remediation ?? incident;
    if (found === undefined) {
      throw new TaplineError('not_found', `there is no incident or remediation ${name}`, {
        hint: 'see tapline ops incidents --all and tapline get remediations',
      });
    }
    if (flags.output === 'json') console.write(`${JSON.stringify(found)}\n`);
    else if (remediation !== undefined) console.write(describeRemediation(remediation, nowMs));
    else if (incident !== undefined) console.write(describeIncident(incident, nowMs));
    return exitCode.ok;
  },
});

function orNone(error: unknown): undefined {
  if (!isTaplineError(error, 'not_found')) throw error;
}
