import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  booleanFlag,
  durationFlag,
  type Flags,
  integerFlag,
  listFlag,
  textFlag,
  textFlagWithDefault,
} from './flag.ts';
import { parseCommandLine } from './parse-command-line.ts';

const flags: Flags = {
  output: textFlagWithDefault('format', {
    short: 'o',
    choices: ['table', 'json'],
    default: 'table',
  }),
  follow: booleanFlag('follow', { short: 'f' }),
  quiet: booleanFlag('quiet', { short: 'q' }),
  label: listFlag('label', { short: 'l' }),
  tailLines: integerFlag('lines', { min: 0, max: 100, default: 10 }),
  timeout: durationFlag('wait', { default: '1m30s' }),
  server: textFlag('server', { environment: 'TAPLINE_SERVER' }),
};
const command = {
  flags,
  positionals: [{ name: 'NAME', description: 'a name', required: true, variadic: true }] as const,
  passesThrough: 'the program',
};
const parse = (argv: readonly string[], environment = {}) =>
  parseCommandLine(command, argv, environment);

describe('parseCommandLine', () => {
  test('flags stand anywhere, long or short, attached or apart', () => {
    const parsed = parse([
      'a',
      '-ojson',
      '--label=x=1',
      'b',
      '-l',
      'y=2,z',
      '-fq',
      '--tail-lines',
      '5',
    ]);
    expect(parsed.positionals).toEqual(['a', 'b']);
    expect(parsed.flags).toEqual({
      output: 'json',
      follow: true,
      quiet: true,
      label: ['x=1', 'y=2', 'z'],
      tailLines: 5,
      timeout: 90_000,
      server: undefined,
    });
  });

  test('what follows -- is passed through untouched', () => {
    expect(parse(['a', '--', 'jq', '-f', '--x']).passedThrough).toEqual(['jq', '-f', '--x']);
  });

  test('the environment counts where the flag is absent', () => {
    expect(parse(['a'], { TAPLINE_SERVER: 'e' }).flags['server']).toBe('e');
    expect(parse(['a', '--server', 'f'], { TAPLINE_SERVER: 'e' }).flags['server']).toBe('f');
  });

  test.each([
    [['a', '--outptu', 'x'], 'there is no flag --outptu'],
    [['a', '-o', 'xml'], '--output is "xml"; it must be one of table, json'],
    [['a', '-o'], '-o needs a value'],
    [
      ['a', '--tail-lines', '101'],
      '--tail-lines is "101"; it must be a whole number from 0 to 100',
    ],
    [['a', '--timeout', '5 min'], '--timeout is "5 min"; it must be a duration'],
    [['a', '--follow=maybe'], '--follow is a switch'],
    [[], 'NAME is missing: a name'],
  ])('%j is refused with what is wrong', (argv, message) => {
    expect(() => parse(argv)).toThrow(message);
  });

  test('any words after -- arrive as they are, and any value given with = is the value', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), fc.string(), (words, value) => {
        const parsed = parse(['a', `--server=${value}`, '--', ...words]);
        expect(parsed.passedThrough).toEqual(words);
        expect(parsed.flags['server']).toBe(value);
      }),
    );
  });
});
