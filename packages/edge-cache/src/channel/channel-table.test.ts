import { ManualClock } from '@tapline/base';
import { expect, test } from 'vitest';
import { type ChannelSettings, channelSettings } from './channel-settings.ts';
import { ChannelTable } from './channel-table.ts';

function tableOf(...given: readonly Partial<ChannelSettings>[]): ChannelTable {
  const settings = given.map((one, index) =>
    channelSettings({ name: `c${index}`, origins: ['http://origin'], ...one }),
  );
  return new ChannelTable(settings, new ManualClock());
}

test('the host decides first, then the longest prefix', () => {
  const table = tableOf(
    {},
    { prefix: '/tv/' },
    { hosts: ['A.example'] },
    { hosts: ['a.example'], prefix: '/tv/' },
  );
  const found = (host: string, target: string): string | undefined =>
    table.find(host, target)?.settings.name;
  expect(found('b', '/x')).toBe('c0');
  expect(found('b', '/tv/x')).toBe('c1');
  expect(found('a.example:8080', '/x')).toBe('c2');
  expect(found('a.example', '/tv/x')).toBe('c3');
});

test('what nobody serves has no channel', () => {
  expect(tableOf({ prefix: '/tv/' }).find('b', '/x')).toBeUndefined();
});

test.each<[Partial<ChannelSettings>[], RegExp]>([
  [[{}, {}], /another channel's already/],
  [[{ name: 'a b' }], /letters, digits/],
  [[{ prefix: 'tv' }], /start and end with/],
  [[{ origins: [] }], /no origin/],
  [[{ origins: ['ftp://x'] }], /ftp/],
])('%j is refused', (given, reason) => {
  expect(() => tableOf(...given)).toThrow(reason);
});
