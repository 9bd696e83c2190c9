import { expect, test } from 'vitest';
import { emptyConsoleState, nextConsoleState } from './console-state.ts';
import { troublesText } from './show-troubles.ts';

function after(code: string, message: string) {
  const trouble = { type: 'trouble', kind: 'incidents', code, message } as const;
  return nextConsoleState(emptyConsoleState, trouble);
}

test.each([
  ['unavailable', /^The control plane is away: it says so\./],
  ['unauthorized', /does not know who you are/],
  ['forbidden', /^You may not read incidents: .*tapline:approver/],
  ['internal', /^it says so$/],
])('%s is said plainly', (code, says) => {
  expect(troublesText(after(code, 'it says so'), undefined)).toMatch(says);
});

test('where the page’s own server is gone that is what is said, and where all is well nothing', () => {
  const stopped = { code: 'console_ended', message: 'start it again' };
  expect(troublesText(after('forbidden', ''), stopped)).toMatch(/^start it again\./);
  expect(troublesText(emptyConsoleState, undefined)).toBe('');
});
