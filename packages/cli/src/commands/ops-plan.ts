import { playbookResource } from '@tapline/resources';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { parseTarget } from '../ops/parse-target.ts';
import { textOrJsonFlag } from '../output/output-flags.ts';

export const opsPlan: Command = defineCommand({
  summary: 'Show what a playbook would do with an object now, and do nothing',
  description: 'An execution carries out the same steps: one function makes both.',
  examples: [
    {
      command: 'tapline ops plan full-disk node/edge-1',
      explains: 'each step, and what takes it back',
    },
    { command: 'tapline ops plan failed-delivery delivery/jq -o json', explains: 'for programs' },
  ],
  positionals: [
    { name: 'PLAYBOOK', description: 'the playbook', required: true },
    { name: 'KIND/NAME', description: 'the object', required: true },
  ],
  flags: { output: textOrJsonFlag, ...connectionFlags },
  async run({ console, positionals: [name = '', word = ''], flags }) {
    const { planRun, readFleet, storePlan } = await import('@tapline/opsbot');
    const target = parseTarget(word);
    const { client } = await connect(flags, console);
    const { signal } = console;
    const playbook = await client.get(playbookResource, name, { signal });
    const plan = storePlan(planRun(playbook, target, await readFleet(client, signal)));
    console.write(
      flags.output === 'json'
        ? `${JSON.stringify({ playbook: name, target, plan })}\n`
        : plan
            .map(({ text, undo }, at) => {
              const back = undo === undefined ? ', cannot be taken back' : '';
              return `${at + 1}. ${text}${back}\n`;
            })
            .join(''),
    );
    return exitCode.ok;
  },
});
