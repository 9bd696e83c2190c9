import { ManualClock, TaplineError } from '@tapline/base';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type Command, defineCommand } from './command.ts';
import type { Console } from './console.ts';
import { booleanFlag, textFlagWithDefault } from './flag.ts';
import { runProgram } from './run-program.ts';

const greet: Command = defineCommand({
  summary: 'Greet someone',
  examples: [{ command: 'tapline greet Dana', explains: 'Dana' }],
  positionals: [{ name: 'WHO', description: 'whom', required: true }],
  flags: {
    loud: booleanFlag('Loudly', { short: 'l' }),
    output: textFlagWithDefault('How', { short: 'o', default: 'text' }),
  },
  run({ console, positionals: [who = ''], flags }) {
    if (who === 'nobody') {
      throw new TaplineError('not_found', 'nobody is there', { hint: 'greet somebody' });
    }
    console.write(flags.loud ? who.toUpperCase() : who);
    return Promise.resolve(0);
  },
});

const groups = [
  {
    title: 'Words',
    commands: { greet: () => Promise.resolve(greet), 'greet twice': () => Promise.resolve(greet) },
  },
];

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const console: Console = {
    environment: {},
    clock: new ManualClock(),
    stdin: Readable.from([]),
    signal: new AbortController().signal,
    isTerminal: false,
    columns: 80,
    write: (text) => void (out += String(text)),
    note: (text) => void (err += String(text)),
  };
  const code = await runProgram(groups, argv, console);
  return { code, out, err };
}

describe('runProgram', () => {
  test('runs the command with its flags', async () => {
    expect(await run('greet', '-l', 'dana')).toEqual({ code: 0, out: 'DANA', err: '' });
    expect((await run('greet', 'twice', 'dana')).out).toBe('dana');
  });

  test('help has usage, arguments, examples and flags', async () => {
    const { code, out } = await run('greet', '--help');
    expect(code).toBe(0);
    expect(out).toContain('tapline greet WHO [flags]');
    expect(out).toContain('-l, --loud');
    expect(out).toContain('tapline greet Dana');
    expect(out).toContain('How (default text)');
    expect((await run('help', 'greet')).out).toBe(out);
  });

  test('without a command it shows all of them and fails', async () => {
    const { code, out } = await run();
    expect(code).toBe(2);
    expect(out).toContain('Greet someone');
  });

  test('an error says what, why, what to do and its code; the exit code follows', async () => {
    const { code, err } = await run('greet', 'nobody');
    expect(code).toBe(3);
    expect(err).toBe('tapline: nobody is there [not_found]\n  greet somebody\n');
  });

  test('with -o json an error is JSON', async () => {
    const { err } = await run('greet', 'nobody', '-o', 'json');
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'not_found', hint: 'greet somebody' } });
  });

  test('an unknown command is refused with what is near', async () => {
    const { code, err } = await run('grete');
    expect(code).toBe(2);
    expect(err).toContain('did you mean greet');
  });
});
