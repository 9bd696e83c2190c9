import type { Remediation } from '@tapline/resources';
import { parseTraceParent } from '@tapline/telemetry';
import { expect, test } from 'vitest';
import { remediationSpans, stepTraceParent } from './remediation-spans.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const remediation = {
  metadata: { name: 'low-hit-ratio.1', uid: '2ba452d1-a385-4e1b-a579-fce2d89927bf' },
  spec: { playbook: 'low-hit-ratio', target: { kind: 'Channel', name: 'news' }, reason: 'cold' },
  status: {
    phase: 'Succeeded',
    acceptedAt: at(0),
    plan: [{ action: 'flush-cache' }, { action: 'prime-cache' }],
    steps: [
      { state: 'Done', startedAt: at(1), finishedAt: at(2) },
      { state: 'Done', startedAt: at(2), finishedAt: at(5) },
    ],
    verifySince: at(5),
    finishedAt: at(7),
  },
} as unknown as Remediation;

test('a remediation is one trace, of what it decided, did and checked', () => {
  const spans = remediationSpans(remediation);
  const [root, ...parts] = spans;
  expect(root).toMatchObject({
    traceId: '2ba452d1a3854e1ba579fce2d89927bf',
    name: 'remediation',
    attributes: { 'tapline.playbook': 'low-hit-ratio', 'tapline.target': 'Channel/news' },
  });
  expect(root?.error).toBeUndefined();
  expect(parts.map(({ name, startMs, endMs }) => `${name} ${(endMs - startMs) / 1000}`)).toEqual([
    'decide 1',
    'flush-cache 1',
    'prime-cache 3',
    'verify 2',
  ]);
  expect(new Set(parts.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([root?.spanId]));
  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(5);
  // Told once more after a crash it is the same.
  expect(remediationSpans(remediation)).toEqual(spans);
});

test('what a step changes is traced below that step', () => {
  const [, , , prime] = remediationSpans(remediation);
  expect(parseTraceParent(stepTraceParent(remediation, 1))).toEqual({
    traceId: prime?.traceId,
    spanId: prime?.spanId,
  });
});

test('one that failed says why, and one that goes on says nothing yet', () => {
  const status = { ...remediation.status, phase: 'Failed', outcome: 'it did not help' };
  const [root] = remediationSpans({ ...remediation, status } as unknown as Remediation);
  expect(root?.error).toBe('it did not help');
  const { finishedAt: _, ...going } = remediation.status ?? {};
  expect(remediationSpans({ ...remediation, status: going })).toEqual([]);
});
