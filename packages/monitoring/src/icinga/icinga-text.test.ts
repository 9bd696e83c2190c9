import { isTaplineError } from '@tapline/base';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseIcingaName } from './icinga-name.ts';
import { icingaText } from './icinga-text.ts';

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 3000 }),
  fc.string({
    unit: fc.constantFrom('$', '"', "'", '`', '\n', '|', '!', '{', '\\', 'a', '/', '.'),
  }),
  fc.constantFrom(
    'x" { } object ApiUser "evil" { password = "x" permissions = [ "*" ]',
    '../../conf.d/evil',
    'a!b',
    '$host.vars.secret$',
    '{{{ }}}',
    '%2e%2e%2f',
    '\u0000',
  ),
);

function nameOrCode(text: string): string {
  try {
    return parseIcingaName(text);
  } catch (error) {
    if (isTaplineError(error)) return error.code;
    throw error;
  }
}

test('a name has nothing that means something to Icinga, a path or a shell', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const name = nameOrCode(text);
      if (name === 'icinga_name_invalid') return;
      expect(name).toBe(text);
      expect(name).toMatch(/^[A-Za-z0-9._-]{1,253}$/);
      expect(encodeURIComponent(name)).toBe(name);
      expect(name.startsWith('.')).toBe(false);
    }),
  );
});

test.each(['ipad-7', 'edge.site-a.example', 'a', 'Segment_1'])('%s is a name', (name) => {
  expect(parseIcingaName(name)).toBe(name);
});

test.each(['', '.', '..', '-x', 'x.', 'a b', 'ä', 'a'.repeat(254)])('%j is none', (name) => {
  expect(() => parseIcingaName(name)).toThrow('cannot be a name');
});

test('text loses what Icinga or a shell would act on, and stays short', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const safe = icingaText(text);
      expect(safe).not.toMatch(/[$|"'`\\\p{Cc}\u2028\u2029]/u);
      expect(safe.isWellFormed()).toBe(true);
      expect(safe.length).toBeLessThanOrEqual(1000);
      expect(icingaText(safe)).toBe(safe);
    }),
  );
});
