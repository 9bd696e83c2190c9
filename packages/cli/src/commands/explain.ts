import type { Explanation } from '@tapline/reconcile';
import { formatAge, TaplineError } from '@tapline/base';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { readText, requestPath } from '../connection/request-path.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { textFlagWithDefault } from '../framework/flag.ts';
import { parseObjectReferences } from '../kinds.ts';

export const explain: Command = defineCommand({
  summary: 'Say what would be done next with a delivery, install or segment, and what it waits for',
  examples: [
    { command: 'tapline explain delivery jq', explains: 'why it has not converged' },
    { command: 'tapline explain segment news', explains: 'which node it waits for' },
    { command: 'tapline explain install/ipad-1.jq -o json', explains: 'for programs' },
  ],
  positionals: [
    {
      name: 'KIND',
      description: 'delivery, install or segment, or KIND/NAME',
      required: true,
      complete: 'kinds',
    },
    { name: 'NAME', description: 'the object', required: false, complete: 'objects' },
  ],
  flags: {
    output: textFlagWithDefault('How to print it', {
      short: 'o',
      valueName: 'FORMAT',
      choices: ['text', 'json'],
      default: 'text',
    }),
    ...connectionFlags,
  },
  async run({ console, positionals, flags }) {
    const [reference] = parseObjectReferences(positionals);
    const explained = ['Delivery', 'Install', 'Segment'];
    if (reference === undefined || !explained.includes(reference.definition.kind)) {
      throw new TaplineError('usage', 'only deliveries, installs and segments have a plan', {
        hint: 'write `tapline explain delivery NAME`',
      });
    }
    const { context } = await connect(flags, console);
    const { group, version, plural } = reference.definition;
    const path = `/apis/${group}/${version}/${plural}/${encodeURIComponent(reference.name)}/explain`;
    const text = await readText(await requestPath(context, path, console));
    if (flags.output === 'json') console.write(text.endsWith('\n') ? text : `${text}\n`);
    else console.write(formatExplanation(JSON.parse(text) as Explanation, console.clock.now()));
    return exitCode.ok;
  },
});

/** A plan in words: what is done next, then what is waited for and since when. */
export function formatExplanation({ steps, waiting }: Explanation, nowMs: number): string {
  if (steps.length === 0 && waiting.length === 0)
    return 'converged: nothing to do, nothing to wait for\n';
  const next = steps.map((step, at) => `  ${at + 1}. ${step.text}\n`);
  const waits = waiting.map(({ what, why, since }) => {
    const age = since === undefined ? '' : ` (${formatAge(since, nowMs)})`;
    return `  ${what}: ${why}${age}\n`;
  });
  return [
    ...(next.length === 0 ? [] : ['next:\n', ...next]),
    ...(waits.length === 0 ? [] : ['waiting for:\n', ...waits]),
  ].join('');
}
