import { TaplineError } from '@tapline/base';
import { defineCommand, type Command } from '../framework/command.ts';
import {
  completionScript,
  completions,
  type Shell,
  shells,
} from '../framework/completion-script.ts';
import { exitCode } from '../framework/exit-code.ts';
import { loadAll } from '../framework/run-program.ts';

export const completion: Command = defineCommand({
  summary: 'Print the completion script of a shell',
  examples: [
    { command: 'source <(tapline completion bash)', explains: 'complete in this bash' },
    {
      command: 'tapline completion fish > ~/.config/fish/completions/tapline.fish',
      explains: 'in fish, for good',
    },
  ],
  positionals: [
    {
      name: 'SHELL',
      description: `one of ${shells.join(', ')}`,
      required: true,
      complete: 'shells',
    },
  ],
  flags: {},
  passesThrough: 'WORDS',
  async run({ console, positionals: [shell = ''], passedThrough }) {
    if (shell === 'words') {
      const { commandGroups } = await import('../commands.ts');
      const commands = (await loadAll(commandGroups)).flatMap((group) => group.commands);
      for (const word of completions(commands, passedThrough)) console.write(`${word}\n`);
      return exitCode.ok;
    }
    if (!isShell(shell)) {
      throw new TaplineError('usage', `there is no completion for ${JSON.stringify(shell)}`, {
        hint: `use one of ${shells.join(', ')}`,
      });
    }
    console.write(completionScript(shell));
    return exitCode.ok;
  },
});

function isShell(text: string): text is Shell {
  return shells.some((shell) => shell === text);
}
