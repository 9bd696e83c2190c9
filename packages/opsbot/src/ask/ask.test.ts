import { type Channel, channelResource, type Incident, type Remediation } from '@tapline/resources';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fleet, playbook } from '../testing/samples.ts';
import { answerQuestion, type AskState } from './answer-question.ts';
import { metricQueries } from './metric-queries.ts';
import { parseQuestion } from './parse-question.ts';

describe('questions', () => {
  test.each([
    ['What is wrong with news?', { kind: 'wrong', subject: 'news' }],
    ['what is wrong', { kind: 'wrong', subject: undefined }],
    ['is n1 ok?', { kind: 'wrong', subject: 'n1' }],
    ['news', { kind: 'wrong', subject: 'news' }],
    ['What did you do about n1?', { kind: 'done', subject: 'n1' }],
    ["Why didn't you drain n1?", { kind: 'why-not', subject: 'n1' }],
    ['why not?', { kind: 'why-not', subject: undefined }],
    ['What would you do about node/n1?', { kind: 'would-do', subject: 'node/n1' }],
    ['what waits for approval?', { kind: 'waiting' }],
    ['how fast is jq?', { kind: 'how-fast', subject: 'jq' }],
    ['Where is news?', { kind: 'where', subject: 'news' }],
    ['', { kind: 'unknown' }],
  ])('%s', (text, intent) => {
    expect(parseQuestion(text)).toEqual(intent);
  });

  test('are bounded, and any text is one', () => {
    expect(() => parseQuestion('x'.repeat(501))).toThrow('501 characters; the limit is 500');
    fc.assert(
      fc.property(fc.string({ maxLength: 500 }), (text) => {
        const answer = answerQuestion(parseQuestion(text), state);
        expect(answer.lines.length).toBeGreaterThan(0);
        expect(answer.lines.length).toBeLessThanOrEqual(13);
      }),
      { seed: 5, numRuns: 300 },
    );
  });
});

const apiVersion = 'tapline.dev/v1alpha1';
const at = '2026-01-01T00:00:00Z';
const incident: Incident = {
  apiVersion,
  kind: 'Incident',
  metadata: { name: 'node-n1-1' },
  spec: { cause: { kind: 'Node', name: 'n1' }, openedAt: at },
  status: {
    phase: 'Open',
    summary: '2 objects have faults; Node n1 explains them',
    faults: [
      {
        target: 'Workload news',
        evidence: { source: 'alertmanager', key: 'k', says: 'slow', since: at },
      },
      {
        target: 'Node n1',
        evidence: { source: 'icinga', key: 'i', says: 'session 3 ended', since: at },
      },
    ],
    held: [
      {
        playbook: 'slow-stream',
        target: 'Workload news',
        guard: 'symptom',
        says: 'Node n1 explains it',
      },
    ],
  },
};
const remediation: Remediation = {
  apiVersion,
  kind: 'Remediation',
  metadata: { name: 'dead-node.1', creationTimestamp: at },
  spec: { playbook: 'dead-node', target: { kind: 'Node', name: 'n1' }, reason: 'session 3 ended' },
  status: {
    phase: 'Succeeded',
    outcome: 'its steps are done',
    plan: [
      {
        action: 'drain-node',
        text: 'drain node n1',
        operation: '{}',
        check: '{}',
        timeoutSeconds: 1,
      },
    ],
    steps: [{ state: 'Done' }],
  },
};
const state: AskState = {
  fleet: fleet({ workloads: { news: ['n1'] } }),
  incidents: [incident],
  remediations: [remediation],
  playbooks: [playbook('dead-node')],
};

function ask(text: string) {
  return answerQuestion(parseQuestion(text), state);
}

test('what is wrong with a workload is told with its cause, who says so, and where to look', () => {
  expect(ask('What is wrong with news?')).toEqual({
    lines: [
      'It is part of an incident that Node n1 explains: 2 objects have faults; Node n1 explains them.',
      'alertmanager says of Workload news: slow.',
    ],
    evidence: [
      { says: 'the incident', command: 'tapline ops show node-n1-1' },
      { says: 'Workload news', command: 'tapline describe workload news' },
    ],
  });
  expect(ask('what is wrong with nobody').lines).toEqual(['There is nothing named nobody.']);
  expect(ask('is n2 ok').lines).toEqual(['Node n2 is fine.', 'Device n2 is fine.']);
});

test('what was done, would be done, and was not done', () => {
  expect(ask('What did you do about n1?').lines).toEqual([
    'dead-node on Node n1, because session 3 ended: Succeeded, its steps are done.',
    '  Done: drain node n1',
  ]);
  expect(ask('what would you do about n1').lines).toEqual([
    'dead-node would drain node n1: nothing new comes, and what is there moves.',
  ]);
  expect(ask("why didn't you restart news").lines).toEqual([
    'slow-stream on Workload news is held by symptom: Node n1 explains it.',
  ]);
  expect(ask('where is news').lines).toEqual([
    'Workload news needs Node n1, Device n1, Zone a, Fleet all.',
  ]);
});

describe('metrics', () => {
  const origin = { url: 'https://origin.example/tv/films.m3u8' };
  const films: Channel = {
    apiVersion,
    kind: 'Channel',
    metadata: { name: 'films' },
    spec: channelResource.spec.parse({ origin }),
  };
  const lastTransitionTime = at;
  test('what players miss of a channel is what is wrong with it, also where it is ready', () => {
    const said = { reason: 'BelowObjective', message: '41.0 % were hits', lastTransitionTime };
    const ready = { type: 'Ready', status: 'True', reason: 'Serving', message: 'serves' } as const;
    const conditions = [
      { ...ready, lastTransitionTime },
      { type: 'HitRatio', status: 'False', ...said } as const,
    ];
    const seen = { ...state, fleet: fleet({ channels: [{ ...films, status: { conditions } }] }) };
    expect(answerQuestion(parseQuestion('what is wrong with films?'), seen).lines).toEqual([
      'Channel films: 41.0 % were hits.',
    ]);
  });

  const withFilms = { ...state, fleet: fleet({ channels: [films], workloads: { films: ['n1'] } }) };
  const exprs = (text: string) =>
    metricQueries(parseQuestion(text), withFilms).map(({ expr }) => expr);

  test('are asked for by name of what is there, and of nothing else', () => {
    expect(exprs('what is wrong with films?')).toEqual([
      'ALERTS{alertstate="firing",product="tapline",channel="films"}',
      'tapline_channel_hit_ratio{channel="films"}',
      'tapline_channel_first_segment_seconds{channel="films"}',
      'tapline_channel_behind_seconds{channel="films"} > 0',
      'ALERTS{alertstate="firing",product="tapline",workload="films"}',
    ]);
    expect(exprs('what is wrong?')).toEqual(['ALERTS{alertstate="firing",product="tapline"}']);
    expect(exprs('what is wrong with nobody?')).toEqual([]);
    expect(exprs('what did you do?')).toEqual([]);
  });

  test('cost the same, whatever is asked', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 500 }), (text) => {
        expect(metricQueries(parseQuestion(text), withFilms).length).toBeLessThanOrEqual(6);
      }),
      { seed: 6, numRuns: 200 },
    );
  });

  test('are told with their unit', () => {
    const [alert, ratio] = metricQueries(parseQuestion('is films ok'), withFilms);
    expect(
      alert?.says({ labels: { alertname: 'TaplineStreamSlow', channel: 'films' }, value: 1 }),
    ).toBe('alert TaplineStreamSlow is firing for Channel films');
    expect(ratio?.says({ labels: {}, value: 0.415 })).toBe(
      'caches answer 41.5 % of what players ask',
    );
  });
});
