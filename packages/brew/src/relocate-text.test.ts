import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placeholderValues } from './placeholders.ts';
import { relocateText } from './relocate-text.ts';

const prefix = '/home/linuxbrew/.linuxbrew';

function relocate(text: string, openjdk?: string): string {
  const bytes = new TextEncoder().encode(text);
  return new TextDecoder().decode(relocateText(bytes, placeholderValues(openjdk)));
}

test.each([
  ['prefix=@@HOMEBREW_PREFIX@@/opt/jq', `prefix=${prefix}/opt/jq`],
  ['@@HOMEBREW_CELLAR@@/jq/1', `${prefix}/Cellar/jq/1`],
  ['@@HOMEBREW_REPOSITORY@@', `${prefix}/Homebrew`],
  ['@@HOMEBREW_LIBRARY@@', `${prefix}/Homebrew/Library`],
  ['#!@@HOMEBREW_PERL@@ -w', `#!${prefix}/opt/perl/bin/perl -w`],
  ['@@HOMEBREW_PREFIX@@:@@HOMEBREW_PREFIX@@', `${prefix}:${prefix}`],
  ['@@@@HOMEBREW_PREFIX@@@@', `@@${prefix}@@`],
  ['@@HOMEBREW_OTHER@@ and @@HOMEBREW_', '@@HOMEBREW_OTHER@@ and @@HOMEBREW_'],
])('%s', (before, after) => {
  expect(relocate(before)).toBe(after);
});

test('the JDK is that of a dependency, and left alone without one', () => {
  expect(relocate('@@HOMEBREW_JAVA@@', 'openjdk@21')).toBe(`${prefix}/opt/openjdk@21/libexec`);
  expect(relocate('@@HOMEBREW_JAVA@@')).toBe('@@HOMEBREW_JAVA@@');
});

test('text without placeholders is the same object', () => {
  const bytes = new TextEncoder().encode('nothing @@ here');
  expect(relocateText(bytes, placeholderValues(undefined))).toBe(bytes);
});

test('bytes of any encoding around placeholders come through', () => {
  const placeholder = new TextEncoder().encode('@@HOMEBREW_PREFIX@@');
  // Without the marker's own character, so that the surroundings make no placeholder.
  const others = fc.array(
    fc.uint8Array({ maxLength: 20 }).map((part) => part.filter((b) => b !== 0x40)),
    {
      minLength: 1,
      maxLength: 6,
    },
  );
  fc.assert(
    fc.property(others, (parts) => {
      const join = (by: Uint8Array): Buffer =>
        Buffer.concat(parts.flatMap((part, index) => (index === 0 ? [part] : [by, part])));
      const relocated = relocateText(join(placeholder), placeholderValues(undefined));
      expect(Buffer.from(relocated)).toEqual(join(new TextEncoder().encode(prefix)));
    }),
    { numRuns: 100 },
  );
});
