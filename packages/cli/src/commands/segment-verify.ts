import { TaplineError } from '@tapline/base';
import { connect } from '../connection/connect.ts';
import { connectionFlags } from '../connection/connection-flags.ts';
import { type Command, defineCommand } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { booleanFlag, durationFlag, textFlagWithDefault } from '../framework/flag.ts';
import { fabricWatch } from '../segment/fabric-watch.ts';
import type { NodeStates } from '../segment/node-states.ts';
import { verdictOfSegment } from '../segment/verdict-of-segment.ts';

const codes = {
  open: exitCode.failed,
  unproven: exitCode.notReady,
  verified: exitCode.ok,
  degraded: exitCode.ok,
} as const;

export const segmentVerify: Command = defineCommand({
  summary: 'Prove from what the kernels have that no port reaches one that it must not',
  description:
    'Every node is asked for what its kernel has at this moment: links, rules, filters, tunnels. From that alone the ways of frames are worked out, and compared with who may reach whom. Ends with 1 where something is open, and with 4 where something could not be proven.',
  examples: [
    { command: 'tapline segment verify', explains: 'all segments' },
    { command: 'tapline segment verify news', explains: 'one of them' },
    { command: 'tapline segment verify --watch', explains: 'go on, until Ctrl-C' },
    { command: 'tapline segment verify -o json', explains: 'with the certificate, for programs' },
  ],
  positionals: [{ name: 'NAME', description: 'a segment; all where absent', required: false }],
  flags: {
    output: textFlagWithDefault('How to print it', {
      short: 'o',
      valueName: 'FORMAT',
      choices: ['text', 'json'],
      default: 'text',
    }),
    watch: booleanFlag('Ask again and again, and print what is found when it is another', {
      short: 'w',
    }),
    every: durationFlag('How often nodes are asked with --watch', { default: '2s' }),
    ...connectionFlags,
  },
  async run({ console, positionals: [name], flags }) {
    const { client, context } = await connect(flags, console);
    const { clock, signal } = console;
    const look = fabricWatch({ client, context, signal });
    const { formatVerdict } = await import('@tapline/segments');
    let shown = '';
    let code: number = exitCode.ok;
    try {
      for (;;) {
        const found = await look();
        if (name !== undefined && !found.segments.has(name)) {
          throw new TaplineError('not_found', `segment ${name} is on no node`, {
            hint: `see tapline explain segment ${name}`,
          });
        }
        const verdict = name === undefined ? found.verdict : verdictOfSegment(found.verdict, name);
        code = codes[verdict.result];
        const text = `${formatVerdict(verdict)}${found.silent.map(describeSilent).join('')}`;
        if (text !== shown) {
          const json = flags.output === 'json';
          console.write(
            json ? `${JSON.stringify(verdict, undefined, 2)}\n` : formatVerdict(verdict),
          );
          for (const node of found.silent) console.note(describeSilent(node));
        }
        shown = text;
        if (!flags.watch) return code;
        await clock.sleep(flags.every, { signal });
      }
    } catch (error) {
      // Ctrl-C ends it with what was found last.
      if (flags.watch && signal.aborted) return code;
      throw error;
    }
  },
});

function describeSilent({ node, why }: NodeStates['silent'][number]): string {
  return `node ${node} was not asked: ${why}\n`;
}
