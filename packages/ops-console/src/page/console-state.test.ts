import type { Incident } from '@tapline/resources';
import { expect, test } from 'vitest';
import type { ConsoleMessage } from '../console-message.ts';
import { emptyConsoleState, nextConsoleState } from './console-state.ts';

const kind = 'incidents';
const incident = (name: string, summary = ''): Incident =>
  ({ metadata: { name }, status: { summary } }) as Incident;
const away: ConsoleMessage = { type: 'trouble', kind, code: 'unavailable', message: 'it is away' };

function after(...messages: readonly ConsoleMessage[]) {
  return messages.reduce(nextConsoleState, emptyConsoleState);
}

test('what was not heard of yet is another thing than nothing', () => {
  expect(after().objects.incidents).toBe(undefined);
  expect(after({ type: 'all', kind, objects: [] }).objects.incidents?.size).toBe(0);
});

test('objects come, change and go', () => {
  const { objects } = after(
    { type: 'all', kind, objects: [incident('a'), incident('b')] },
    { type: 'changed', kind, objects: [incident('b', 'worse'), incident('c')] },
    { type: 'gone', kind, name: 'a' },
  );
  expect([...(objects.incidents?.keys() ?? [])]).toEqual(['b', 'c']);
  expect(objects.incidents?.get('b')?.status?.summary).toBe('worse');
});

test('what was there stays while it cannot be read, and a new reading ends the trouble', () => {
  const troubled = after({ type: 'all', kind, objects: [incident('a')] }, away);
  expect(troubled.objects.incidents?.size).toBe(1);
  expect([...troubled.troubles.keys()]).toEqual([kind]);
  const well = nextConsoleState(troubled, { type: 'all', kind, objects: [] });
  expect(well.troubles.size).toBe(0);
});
