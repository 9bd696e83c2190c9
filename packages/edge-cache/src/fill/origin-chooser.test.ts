import { ManualClock } from '@tapline/base';
import { expect, test } from 'vitest';
import { channelSettings } from '../channel/channel-settings.ts';
import { ChannelTable } from '../channel/channel-table.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { OriginChooser } from './origin-chooser.ts';

const clock = new ManualClock();
const keys = Array.from({ length: 300 }, (_, index) => `c /${index}`);

function chosen(parents: readonly string[]): readonly (string | undefined)[] {
  const settings = channelSettings({ name: 'c', origins: ['http://origin'], parents });
  const channel = new ChannelTable([settings], clock).all[0];
  const chooser = new OriginChooser(clock);
  return keys.map((key) => channel && chooser.candidates(channel, key)[0]?.url.host);
}

test('a parent that goes moves only its own keys, and each has its share', () => {
  const before = chosen(['http://a', 'http://b', 'http://c']);
  const after = chosen(['http://a', 'http://c']);
  const moved = before.filter((host, index) => host !== after[index]);
  expect(moved.every((host) => host === 'b')).toBe(true);
  for (const host of ['a', 'b', 'c']) {
    expect(before.filter((other) => other === host).length).toBeGreaterThan(60);
  }
});

test('a parent with more than its share of load gives the key to the next', () => {
  const settings = channelSettings({
    name: 'c',
    origins: ['http://origin'],
    parents: ['http://a', 'http://b'],
  });
  const channel = new ChannelTable([settings], clock).all[0];
  if (channel === undefined) throw new Error('no channel');
  const chooser = new OriginChooser(clock);
  const [first] = chooser.candidates(channel, 'c /x');
  if (first === undefined) throw new Error('no candidate');
  first.load = 50;
  const order = chooser.candidates(channel, 'c /x');
  expect(order.map(({ kind }) => kind)).toEqual(['parent', 'parent', 'origin']);
  expect(order[0]?.url.host).not.toBe(first.url.host);
});

test('a breaker opens after failures in a row, lets one try, and waits longer each time', async () => {
  const breaker = new CircuitBreaker({ failures: 2, openMs: 100, clock });
  breaker.failed();
  breaker.succeeded();
  breaker.failed();
  expect(breaker.allows()).toBe(true);
  breaker.failed();
  expect(breaker.allows()).toBe(false);
  await clock.advance(100);
  expect([breaker.allows(), breaker.allows()]).toEqual([true, false]);
  breaker.failed();
  await clock.advance(100);
  expect(breaker.allows()).toBe(false);
  await clock.advance(100);
  expect(breaker.allows()).toBe(true);
  breaker.succeeded();
  expect([breaker.allows(), breaker.allows()]).toEqual([true, true]);
});
