import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { answerAsked } from '../ops/answer-asked.ts';
import { parsePrometheus, prometheusFlag } from '../ops/ask-prometheus.ts';
import { textOrJsonFlag } from '../output/output-flags.ts';

export const opsAsk: Command = defineCommand({
  summary: 'Answer a question about what is wrong, what was done and what would be',
  description:
    'By words alone and from what is there now: the same question has the same answer, and each has the commands that show it. It changes nothing.',
  examples: [
    { command: 'tapline ops ask "what is wrong with news?"', explains: 'an object, of any kind' },
    {
      command: 'tapline ops ask "why did you not drain edge-1?"',
      explains: 'which guard rail it was',
    },
    {
      command: 'tapline ops ask "what would you do about node/edge-1?" -o json',
      explains: 'for programs',
    },
  ],
  positionals: [{ name: 'QUESTION', description: 'in English', required: true, variadic: true }],
  flags: { prometheus: prometheusFlag, output: textOrJsonFlag, ...connectionFlags },
  async run({ console, positionals, flags }) {
    const prometheus =
      flags.prometheus === undefined ? undefined : parsePrometheus(flags.prometheus);
    const { client } = await connect(flags, console);
    const { clock, signal } = console;
    const asked = { client, prometheus, clock, signal };
    const { intent, ...answer } = await answerAsked(positionals.join(' '), asked);
    if (flags.output === 'json') {
      console.write(`${JSON.stringify({ intent, ...answer })}\n`);
      return exitCode.ok;
    }
    const shown = answer.evidence.map(({ says, command }) => `  ${command}  (${says})\n`);
    console.write(
      `${answer.lines.join('\n')}\n${shown.length === 0 ? '' : `\nsee\n${shown.join('')}`}`,
    );
    return exitCode.ok;
  },
});
