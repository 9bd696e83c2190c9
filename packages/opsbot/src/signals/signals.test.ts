import { isTaplineError } from '@tapline/base';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fromAlertmanager } from './from-alertmanager.ts';
import { fromIcinga } from './from-icinga.ts';

const is = {
  state: 1,
  hard: true,
  output: 'session 3 ended',
  acknowledged: false,
  inDowntime: false,
  flapping: false,
  atSeconds: 100,
} as const;

test('a host of Icinga is a device and a node, its check of a segment is that segment', () => {
  const change = { object: { host: 'edge-n1' }, before: undefined, after: is };
  expect(fromIcinga(change, 'edge-')).toMatchObject({
    key: 'icinga/n1',
    state: 'down',
    topic: 'host',
    targets: [
      { kind: 'Device', name: 'n1' },
      { kind: 'Node', name: 'n1' },
    ],
  });
  const object = { host: 'n1', service: 'segment-news' };
  expect(fromIcinga({ object, before: undefined, after: { ...is, state: 2 } }, '')).toMatchObject({
    state: 'critical',
    targets: [
      { kind: 'Attachment', name: 'n1.news' },
      { kind: 'Segment', name: 'news' },
      { kind: 'Device', name: 'n1' },
      { kind: 'Node', name: 'n1' },
    ],
  });
});

test('hosts of others and states that Icinga does not believe yet are nothing', () => {
  const change = { object: { host: 'n1' }, before: undefined, after: is };
  expect(fromIcinga(change, 'edge-')).toBeUndefined();
  expect(fromIcinga({ ...change, after: { ...is, hard: false } }, '')).toBeUndefined();
});

test('what is gone from Icinga has no fault any more, after its last state', () => {
  const gone = fromIcinga({ object: { host: 'n1' }, before: is, after: undefined }, '');
  const was = fromIcinga({ object: { host: 'n1' }, before: undefined, after: is }, '');
  expect(gone?.state).toBe('ok');
  expect(gone?.order).toBeGreaterThan(was?.order ?? 0);
});

const alert = {
  status: 'firing',
  labels: { alertname: 'TaplineStreamSlow', workload: 'news' },
  annotations: { summary: 'slow' },
  startsAt: '2026-01-01T00:00:00Z',
  endsAt: '0001-01-01T00:00:00Z',
  fingerprint: 'f1',
};

test('an alert names its target by the label of its kind, and its end comes after its beginning', () => {
  const [firing] = fromAlertmanager({ version: '4', alerts: [alert] });
  expect(firing).toMatchObject({
    key: 'alertmanager/f1',
    state: 'firing',
    targets: [{ kind: 'Workload', name: 'news' }],
  });
  const resolved = { ...alert, status: 'resolved', endsAt: '2026-01-01T00:00:00Z' };
  const [over] = fromAlertmanager({ version: '4', alerts: [resolved] });
  expect(over?.state).toBe('ok');
  expect(over?.order).toBeGreaterThan(firing?.order ?? 0);
});

function outcomeOf(value: unknown): string {
  try {
    fromAlertmanager(value);
    return 'signals';
  } catch (error) {
    return isTaplineError(error) ? error.code : 'unknown';
  }
}

test('whatever is sent as a webhook is signals or a known refusal', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      const outcome = outcomeOf(value);
      expect(['signals', 'bad_request']).toContain(outcome);
    }),
    { seed: 2, numRuns: 300 },
  );
  const many = Array.from({ length: 1001 }, () => alert);
  expect(() => fromAlertmanager({ version: '4', alerts: many })).toThrow('webhook');
});
