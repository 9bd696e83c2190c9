import { channelResource, type Channel, type Device } from '@tapline/resources';
import type { Verdict } from '@tapline/segments';
import { describe, expect, test } from 'vitest';
import { judgeCertificate } from './judge-certificate.ts';
import { judgeHitRatio } from './judge-hit-ratio.ts';
import { judgeSegment } from './judge-segment.ts';
import { judgeStream } from './judge-stream.ts';
import { judgeTunnel } from './judge-tunnel.ts';
import { worstState } from './judge-value.ts';

const apiVersion = `${channelResource.group}/${channelResource.version}`;

function channel(recent?: { requests: number; hits: number; ratio: number; seconds: number }) {
  return {
    apiVersion,
    kind: 'Channel',
    metadata: { name: 'news' },
    spec: { objectives: { hitRatio: 0.9 } },
    status: { recent },
  } as unknown as Channel;
}

describe('the hit ratio', () => {
  const of = (ratio: number) => channel({ requests: 200, hits: 200 * ratio, ratio, seconds: 10 });

  test.each([
    [0.95, 0],
    [0.8, 1],
    [0.5, 2],
  ])('of %s is %i by the objective of 0.9', (ratio, state) => {
    expect(judgeHitRatio(of(ratio), {})).toMatchObject({
      state,
      performance: [{ label: 'hit-ratio', value: ratio * 100, unit: '%', warning: 90 }, {}],
    });
  });

  test('of too few requests says nothing', () => {
    const few = channel({ requests: 3, hits: 0, ratio: 0, seconds: 10 });
    expect(judgeHitRatio(few, {})).toMatchObject({ state: 0 });
    expect(judgeHitRatio(channel(), {}).output).toContain('too few to tell');
  });

  test('has limits of its own where they are given', () => {
    expect(judgeHitRatio(of(0.8), { warning: 0.7, critical: 0.5 }).state).toBe(0);
  });
});

describe('a stream', () => {
  const limits = {
    firstSegment: { warning: 2, critical: 5 },
    behind: { warning: 2, critical: 10 },
  };

  test('is as its worst edge is', () => {
    const good = { node: 'n1', firstSegmentSeconds: 0.1, behindSeconds: 0 };
    expect(judgeStream([good], limits).state).toBe(0);
    const slow = { node: 'n2', firstSegmentSeconds: 3 };
    expect(judgeStream([good, slow], limits)).toMatchObject({
      state: 1,
      performance: [{ label: 'first-segment', value: 3 }, { label: 'behind' }, { value: 2 }],
    });
    expect(judgeStream([good, { ...good, behindSeconds: 11 }], limits).state).toBe(2);
    const failed = judgeStream([good, { node: 'n3', failure: 'it answers 502' }], limits);
    expect(failed).toMatchObject({
      state: 2,
      output: expect.stringContaining('n3: it answers 502'),
    });
  });

  test('that no edge serves is critical', () => {
    expect(judgeStream([], limits).state).toBe(2);
  });
});

test.each([
  ['verified', 0],
  ['degraded', 1],
  ['open', 2],
  ['unproven', 3],
] as const)('a segment that is %s is %i', (result, state) => {
  const verdict = { result, findings: [], nodes: 2, ports: 4 } as unknown as Verdict;
  const silent = result === 'unproven' ? [{ node: 'n2', why: 'it is offline' }] : [];
  const outcome = judgeSegment('tv', verdict, silent);
  expect(outcome.state).toBe(state);
  expect(outcome.output.includes('n2 was not asked')).toBe(result === 'unproven');
});

describe('a tunnel', () => {
  const device = {
    metadata: { name: 'ipad-1' },
    status: { presence: { connected: false, epoch: 3, since: '2026-01-01T00:00:00Z' } },
  } as unknown as Device;
  const limits = { warning: 1, critical: 5 };

  test('is as soon as its device answers', () => {
    expect(judgeTunnel(device, { roundTripSeconds: 0.02 }, limits).state).toBe(0);
    expect(judgeTunnel(device, { roundTripSeconds: 2 }, limits).state).toBe(1);
    expect(judgeTunnel(device, { roundTripSeconds: 6 }, limits).state).toBe(2);
  });

  test('through which nobody answers is critical', () => {
    expect(judgeTunnel(device, { failure: 'it is offline' }, limits)).toMatchObject({
      state: 2,
      output: 'ipad-1 does not answer: it is offline; session 3 ended since 2026-01-01T00:00:00Z',
    });
  });
});

test('a certificate is as long as it is still good', () => {
  const nowMs = Date.parse('2026-01-01T00:00:00Z');
  const limits = { warning: 21_600, critical: 7200 };
  const left = (notAfter: string | undefined) =>
    judgeCertificate('ipad-1', { notAfter, nowMs }, limits);
  expect(left('2026-01-01T12:00:00Z').state).toBe(0);
  expect(left('2026-01-01T04:00:00Z').state).toBe(1);
  expect(left('2026-01-01T01:00:00Z').state).toBe(2);
  expect(left('2025-12-31T00:00:00Z')).toMatchObject({
    state: 2,
    output: 'the certificate of ipad-1 ended at 2025-12-31T00:00:00Z',
  });
  expect(left(undefined).state).toBe(3);
});

test('of several the worst counts, and what is unknown before what is well', () => {
  expect(worstState([0, 3, 1])).toBe(1);
  expect(worstState([0, 3])).toBe(3);
  expect(worstState([1, 2, 3])).toBe(2);
  expect(worstState([])).toBe(0);
});
