import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { commandGroups } from '../commands.ts';
import { completionScript, completions } from './completion-script.ts';
import { loadAll } from './run-program.ts';

const commands = (await loadAll(commandGroups)).flatMap((group) => group.commands);

test.each([
  [['de'], ['deploy', 'delete', 'describe', 'demo', 'device']],
  [['token', ''], ['create']],
  [['get', 'devices', '--out'], ['--output']],
  [['get', '-o', 'j'], ['json']],
  [
    ['deploy', 'jq', '--restart', ''],
    ['Always', 'OnFailure', 'Never'],
  ],
  [['deploy', 'jq', '--wai'], ['--wait']],
])('%j', (words, expected) => {
  expect(completions(commands, words).toSorted()).toEqual(expected.toSorted());
});

test('the script is one that bash accepts', () => {
  const check = () => execFileSync('bash', ['-n'], { input: completionScript('bash') });
  expect(check).not.toThrow();
});
