import { expect, test } from 'vitest';
import { LineDiscipline } from './line-discipline.ts';
import { localFlags } from './terminal-settings.ts';

function line(): {
  readonly line: LineDiscipline;
  readonly shown: () => string;
  readonly signals: string[];
} {
  let shown = '';
  const signals: string[] = [];
  const discipline = new LineDiscipline({
    show: (bytes) => {
      shown += String.fromCharCode(...bytes);
    },
    signal: (which) => void signals.push(which),
  });
  return { line: discipline, shown: () => shown, signals };
}

function type(discipline: LineDiscipline, text: string): void {
  discipline.receive(new TextEncoder().encode(text));
}

function read(discipline: LineDiscipline, most = 100): string | undefined {
  const bytes = discipline.read(most);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

test.each<[string, string, string, string]>([
  ['a line', 'ab\r', 'ab\n', 'ab\r\n'],
  ['erasing', 'ac\u007fb\r', 'ab\n', 'ac\b \bb\r\n'],
  ['erasing where nothing is left', '\u007f\u007fa\r', 'a\n', 'a\r\n'],
  ['erasing a character of several bytes', 'é\u007fx\r', 'x\n', 'Ã©\b \bx\r\n'],
  ['erasing a control character', '\u0016\u0003\u007fx\r', 'x\n', '^\b^C\b \b\b \bx\r\n'],
  ['erasing a tab', 'a\t\u007fx\r', 'ax\n', `a\t${'\b \b'.repeat(7)}x\r\n`],
  ['erasing a word', 'one two \u0017x\r', 'one x\n', `one two ${'\b \b'.repeat(4)}x\r\n`],
  ['erasing the line', 'abc\u0015x\r', 'x\n', `abc${'\b \b'.repeat(3)}x\r\n`],
  ['the end of input within a line', 'ab\u0004', 'ab', 'ab'],
  ['a character taken as it is', '\u0016\u0004\r', '\u0004\n', '^\b^D\r\n'],
])('%s', (_, typed, expected, screen) => {
  const { line: discipline, shown } = line();
  type(discipline, typed);
  expect(read(discipline)).toBe(expected);
  expect(shown()).toBe(screen);
});

test('lines come one at a time, and nothing of one that is not sent', () => {
  const { line: discipline } = line();
  type(discipline, 'one\rtwo\rthr');
  expect([read(discipline), read(discipline, 2), read(discipline), read(discipline)]).toEqual([
    'one\n',
    'tw',
    'o\n',
    undefined,
  ]);
});

test('the end of input is an empty line', () => {
  const { line: discipline } = line();
  type(discipline, '\u0004');
  expect(read(discipline)).toBe('');
  expect(read(discipline)).toBeUndefined();
});

test('characters that are signals drop what was typed', () => {
  const { line: discipline, shown, signals } = line();
  type(discipline, 'abc\u0003\u001a\u001cx\r');
  expect(signals).toEqual(['interrupt', 'suspend', 'quit']);
  expect(read(discipline)).toBe('x\n');
  expect(shown()).toBe('abc^C^Z^\\x\r\n');
});

test('without lines and echo, bytes are as they were typed', () => {
  const { line: discipline, shown, signals } = line();
  const { settings } = discipline;
  const off = localFlags.canonical | localFlags.echo | localFlags.signals;
  discipline.change({ ...settings, input: 0, local: settings.local & ~off });
  type(discipline, 'a\r\u0003\u007f');
  expect(read(discipline)).toBe('a\r\u0003\u007f');
  expect([shown(), signals]).toEqual(['', []]);
});

test('what was typed for a line is there when lines are given up', () => {
  const { line: discipline } = line();
  type(discipline, 'ab');
  const { settings } = discipline;
  discipline.change({ ...settings, local: settings.local & ~localFlags.canonical });
  expect(read(discipline)).toBe('ab');
});

test('a newline of a program begins a line on the screen', () => {
  const { line: discipline } = line();
  expect(new TextDecoder().decode(discipline.output(new TextEncoder().encode('a\nb\n')))).toBe(
    'a\r\nb\r\n',
  );
});
