import type { CheckOutcome, MonitoredHost } from '@tapline/monitoring';
import { type Channel, findCondition } from '@tapline/resources';

/** Before the names of hosts that stand for channels: no device has `_` in its name. */
const prefix = 'channel_';

/** The host that stands for one. */
export function channelHost(name: string): string {
  return `${prefix}${name}`;
}

/** A channel as a host of monitoring: up while an edge serves it. */
export function monitoredChannel(channel: Channel): MonitoredHost {
  const { name } = channel.metadata;
  return {
    name: channelHost(name),
    title: `Channel ${name}`,
    kind: 'channel',
    outcome: presence(channel),
    checks: [
      { name: 'edges', title: 'Edges', outcome: edgesOutcome(channel) },
      { name: 'hit-ratio', title: 'Cache hit ratio', outcome: hitRatioOutcome(channel) },
      { name: 'stream', title: 'Stream latency', outcome: streamOutcome(channel) },
    ],
  };
}

function presence({ status }: Channel): CheckOutcome {
  const serving = status?.counts?.serving ?? 0;
  const why = findCondition(status?.conditions, 'Ready')?.message ?? 'has not been looked at yet';
  return { state: serving > 0 ? 0 : 1, output: serving > 0 ? `${serving} edges serve` : why };
}

function edgesOutcome({ spec, status }: Channel): CheckOutcome {
  const wanted = spec.edges.replicas;
  const serving = status?.counts?.serving ?? 0;
  return {
    state: serving >= wanted ? 0 : serving === 0 ? 2 : 1,
    output: `${serving} of ${wanted} serve`,
    performance: [
      { label: 'serving', value: serving, min: 0 },
      { label: 'wanted', value: wanted, min: 0 },
    ],
  };
}

/** Of what players asked lately where that is judged, else of the load that it was validated under. */
function hitRatioOutcome({ spec, status }: Channel): CheckOutcome {
  const { recent, validation, conditions } = status ?? {};
  const judged = findCondition(conditions, 'HitRatio')?.status ?? 'Unknown';
  const ofPlayers = judged !== 'Unknown' && recent !== undefined;
  const hits = ofPlayers ? recent : validation;
  if (hits === undefined) return { state: 3, output: 'nobody has asked for enough of it yet' };
  const { hitRatio, trafficHitRatio = hitRatio } = spec.objectives;
  const warning = ofPlayers ? trafficHitRatio : hitRatio;
  const critical = warning / 2;
  return {
    state: hits.ratio < critical ? 2 : hits.ratio < warning ? 1 : 0,
    output: `${percent(hits.ratio)} % of ${hits.requests} requests of ${ofPlayers ? 'players' : 'the validation'}`,
    performance: [
      {
        label: 'hit-ratio',
        value: percent(hits.ratio),
        unit: '%',
        warning: percent(warning),
        critical: percent(critical),
        min: 0,
        max: 100,
      },
    ],
  };
}

/** As the worst edge gives it to who begins to play. */
function streamOutcome({ spec, status }: Channel): CheckOutcome {
  const { stream } = status ?? {};
  if (stream === undefined) return { state: 3, output: 'was not played yet' };
  const { firstSegmentSeconds: first, behindSeconds: behind } = stream;
  if (first === undefined) {
    return { state: 2, output: `cannot be played: ${stream.failure ?? 'no segment came'}` };
  }
  const { firstSegmentSeconds, behindSeconds } = spec.objectives;
  const isSlow = first > firstSegmentSeconds || (behind ?? 0) > behindSeconds;
  const said = `first segment after ${first} s`;
  return {
    state: isSlow ? 2 : 0,
    output: behind === undefined ? said : `${said}, live edge ${behind} s late`,
    performance: [
      { label: 'first-segment', value: first, unit: 's', critical: firstSegmentSeconds, min: 0 },
      ...(behind === undefined
        ? []
        : ([
            { label: 'live-edge', value: behind, unit: 's', critical: behindSeconds, min: 0 },
          ] as const)),
    ],
  };
}

function percent(ratio: number): number {
  return Math.round(ratio * 1000) / 10;
}
