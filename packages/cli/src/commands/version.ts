import { buildVersion } from '@tapline/base';
import { defineCommand, type Command } from '../framework/command.ts';
import { exitCode } from '../framework/exit-code.ts';
import { textFlagWithDefault } from '../framework/flag.ts';

export const version: Command = defineCommand({
  summary: 'Show the version of this tool',
  examples: [{ command: 'tapline version -o json', explains: 'for programs' }],
  positionals: [],
  flags: {
    output: textFlagWithDefault('How to print it', {
      short: 'o',
      valueName: 'FORMAT',
      choices: ['text', 'json'],
      default: 'text',
    }),
  },
  run({ console, flags }) {
    const { version: node, platform, arch } = process;
    console.write(
      flags.output === 'json'
        ? `${JSON.stringify({ tapline: buildVersion, node, platform, arch })}\n`
        : `tapline ${buildVersion} (node ${node}, ${platform}/${arch})\n`,
    );
    return Promise.resolve(exitCode.ok);
  },
});
