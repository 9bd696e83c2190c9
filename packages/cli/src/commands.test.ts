import { splitWords } from '@tapline/base';
import { expect, test } from 'vitest';
import { commandGroups } from './commands.ts';
import { parseCommandLine } from './framework/parse-command-line.ts';
import { loadAll } from './framework/run-program.ts';

const commands = (await loadAll(commandGroups)).flatMap((group) => group.commands);

test.each(commands)('%s has a summary and examples that parse', (name, command) => {
  expect(command.summary).not.toBe('');
  expect(command.examples.length).toBeGreaterThan(0);
  for (const example of command.examples) {
    const [, words] = example.command.split(`tapline ${name}`);
    expect(words, example.command).toBeDefined();
    // Redirections and the end of a substitution are the shell's.
    const [own = ''] = (words ?? '').split(/ [<>] |\)/);
    expect(() => parseCommandLine(command, splitWords(own), {}), example.command).not.toThrow();
  }
});
