import { type ChannelEdge, type ChannelEdgeStatus, channelResource } from '@tapline/resources';
import { expect, test } from 'vitest';
import { channelObserved } from './channel-objectives.ts';
import type { SeenEdge } from './seen-edges.ts';

const origin = { url: 'https://origin.example/tv/news.m3u8' };

function observed(
  edges: Readonly<Record<string, ChannelEdgeStatus & { readonly lost?: true }>>,
  objectives: object = {},
) {
  const spec = channelResource.spec.parse({ origin, objectives });
  const placed = Object.entries(edges).map(([node, { lost, ...status }]): SeenEdge => {
    const edge = { spec: { node }, status } as ChannelEdge;
    const state = lost === true ? 'Lost' : 'Ready';
    return { node, epoch: 1, edge, there: true, attached: true, url: undefined, state };
  });
  return channelObserved({ spec }, placed);
}

function recent(requests: number, hits: number, seconds = 10) {
  return { recent: { requests, hits, ratio: hits / requests, seconds } };
}

test('a hit ratio is that of all edges that serve, once enough is asked', () => {
  const low = observed({ e1: recent(300, 290), e2: recent(300, 100) });
  expect(low.recent).toEqual({ requests: 600, hits: 390, ratio: 0.65, seconds: 10 });
  expect(low.verdicts.HitRatio).toEqual({
    status: 'False',
    reason: 'BelowObjective',
    message: '65.0 % of 600 requests in 10 s were hits, 90.0 % are asked for',
  });
  const lost = observed({ e1: recent(300, 290), e2: { ...recent(300, 100), lost: true } });
  expect(lost.verdicts.HitRatio.status).toBe('True');
});

test('with few players misses are new content, unless somebody says how many are too many', () => {
  // Two viewers of a live stream: half of what they ask for is new.
  expect(observed({ e1: recent(40, 20) }).verdicts.HitRatio.status).toBe('Unknown');
  const asked = observed({ e1: recent(40, 20) }, { trafficHitRatio: 0.8 });
  expect(asked.verdicts.HitRatio.status).toBe('False');
  expect(observed({ e1: recent(19, 0) }, { trafficHitRatio: 0.8 }).verdicts.HitRatio.status).toBe(
    'Unknown',
  );
  expect(observed({}).verdicts.HitRatio.status).toBe('Unknown');
});

test('one slow edge of several is a node’s, all of them are not', () => {
  const fine = { stream: { firstSegmentSeconds: 0.1, behindSeconds: 0 } };
  const slow = { stream: { firstSegmentSeconds: 3, behindSeconds: 0 } };
  const still = { stream: { firstSegmentSeconds: 0.1, behindSeconds: 60 } };
  const gone = { stream: { failure: 'main.m3u8 was not answered to its end' } };
  expect(observed({ e1: fine, e2: fine }).verdicts.Stream.status).toBe('True');
  const one = observed({ e1: fine, e2: slow });
  expect(one.verdicts.Stream).toEqual({
    status: 'False',
    reason: 'EdgeSlow',
    message: 'e2: the first segment took 3 s; the limit is 2 s',
  });
  expect([...one.slow]).toEqual(['e2']);
  expect(one.stream).toEqual({ firstSegmentSeconds: 3, behindSeconds: 0 });
  expect(observed({ e1: gone, e2: fine }).verdicts.Stream.reason).toBe('EdgeSlow');
  expect(observed({ e1: slow, e2: still }).verdicts.Stream.reason).toBe('Slow');
  expect(observed({ e1: slow }).verdicts.Stream.reason).toBe('Slow');
  expect(observed({ e1: {} }).verdicts.Stream.status).toBe('Unknown');
});
