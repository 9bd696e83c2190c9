import type { Channel, Workload } from '@tapline/resources';
import { expect, test } from 'vitest';
import { monitoredChannel } from './monitored-channel.ts';
import { monitoredWorkload } from './monitored-workload.ts';

const metadata = { name: 'news', uid: 'u', resourceVersion: '1' };

function statesOf(status: Channel['status']): Readonly<Record<string, string>> {
  const objectives = { hitRatio: 0.9, firstSegmentSeconds: 2, behindSeconds: 10 };
  const spec = { edges: { replicas: 2 }, objectives } as Channel['spec'];
  const channel = { apiVersion: 'tapline.dev/v1alpha1', kind: 'Channel', metadata, spec, status };
  const host = monitoredChannel(channel as Channel);
  expect(host.name).toBe('channel_news');
  return Object.fromEntries([
    ['', `${host.outcome.state} ${host.outcome.output}`],
    ...host.checks.map(({ name, outcome }) => [name, `${outcome.state} ${outcome.output}`]),
  ]) as Readonly<Record<string, string>>;
}

const judged = (status: 'True' | 'False') =>
  [
    {
      type: 'HitRatio',
      status,
      reason: 'Judged',
      message: 'm',
      lastTransitionTime: '2026-06-01T00:00:00Z',
    },
  ] as const;

test('a channel that nobody has served yet is down, and nothing is known of it', () => {
  expect(statesOf(undefined)).toEqual({
    '': '1 has not been looked at yet',
    edges: '2 0 of 2 serve',
    'hit-ratio': '3 nobody has asked for enough of it yet',
    stream: '3 was not played yet',
  });
});

test('players count where they are judged, the validation before that', () => {
  const counts = { desired: 2, placed: 2, serving: 2, ready: 2 };
  const validation = { requests: 200, hits: 190, ratio: 0.95 };
  const recent = { requests: 1000, hits: 700, ratio: 0.7, seconds: 30 };
  const stream = { firstSegmentSeconds: 0.25, behindSeconds: 0 };
  expect(statesOf({ counts, validation, recent, stream })).toEqual({
    '': '0 2 edges serve',
    edges: '0 2 of 2 serve',
    'hit-ratio': '0 95 % of 200 requests of the validation',
    stream: '0 first segment after 0.25 s, live edge 0 s late',
  });
  const now = statesOf({ counts, validation, recent, stream, conditions: [...judged('False')] });
  expect(now['hit-ratio']).toBe('1 70 % of 1000 requests of players');
});

test('a stream that comes late, is late, or does not come is critical', () => {
  const stateOf = (stream: NonNullable<Channel['status']>['stream']) =>
    statesOf({ stream })['stream']?.[0];
  expect(stateOf({ firstSegmentSeconds: 2.5 })).toBe('2');
  expect(stateOf({ firstSegmentSeconds: 0.1, behindSeconds: 11 })).toBe('2');
  expect(stateOf({})).toBe('2');
});

test('a workload is up while a replica is ready, or none is wanted', () => {
  const of = (replicas: number, ready: number) => {
    const status = { counts: { desired: replicas, placed: ready, ready } };
    const spec = { replicas } as Workload['spec'];
    const workload = {
      apiVersion: 'tapline.dev/v1alpha1',
      kind: 'Workload',
      metadata,
      spec,
      status,
    };
    const { name, outcome, checks } = monitoredWorkload(workload);
    return [name, outcome.state, checks[0]?.outcome.state];
  };
  expect(of(2, 2)).toEqual(['workload_news', 0, 0]);
  expect(of(2, 1)).toEqual(['workload_news', 0, 1]);
  expect(of(2, 0)).toEqual(['workload_news', 1, 2]);
  expect(of(0, 0)).toEqual(['workload_news', 0, 0]);
});
