import type { OpsPolicy, Remediation } from '@tapline/resources';
import { expect, test } from 'vitest';
import { remediationWords } from './remediation-words.ts';

const step = { operation: '{}', check: '{}', timeoutSeconds: 1 };
const about = {
  policy: { spec: { approvalSeconds: 60 } } as OpsPolicy,
  time: (iso: string) => iso.slice(11, 19),
};

function remediation(status: Remediation['status'], spec: object = {}): Remediation {
  return {
    metadata: { name: 'full-disk.1' },
    spec: {
      playbook: 'full-disk',
      target: { kind: 'Node', name: 'edge-1' },
      reason: 'disk is full',
      ...spec,
    },
    status,
  } as Remediation;
}

function textOf(one: Remediation): string {
  const { title, stands, parts } = remediationWords(one, about);
  return [
    `${title}: ${stands}`,
    ...parts.flatMap((part) => [
      part.title,
      ...part.lines,
      ...part.details.map((line) => `(${line})`),
    ]),
  ].join('\n');
}

test('one that is over says what was seen, decided, why, done and checked', () => {
  const over = remediation({
    phase: 'Succeeded',
    outcome: 'nothing says that the fault stands',
    evidence: [{ source: 'icinga', key: 'k', says: '1 % is free', since: '2026-01-01T00:00:00Z' }],
    decisions: [{ guard: 'paused', allowed: true, says: 'it is not paused' }],
    plan: [
      { ...step, action: 'drain-node', text: 'drain node edge-1', undo: '{}' },
      { ...step, action: 'notify', text: 'tell people' },
    ],
    steps: [
      { state: 'Done', says: 'nothing is left on it', finishedAt: '2026-01-01T00:00:09Z' },
      { state: 'Done', says: 'done' },
    ],
    approvals: [
      { user: 'dana', decision: 'Approved', digest: 'd', at: '2026-01-01T00:00:05Z', reason: 'ok' },
    ],
  });
  expect(textOf(over)).toBe(`full-disk on Node edge-1: is done, and helped
What it saw
icinga: 1 % is free, since 00:00:00
because disk is full
What it decided
1. drain node edge-1
2. tell people, which cannot be taken back
Why that is allowed
1 guard rails let it pass
dana approved it at 00:00:05: ok
(paused: it is not paused)
What it did
1. drain node edge-1: done at 00:00:09
2. tell people: done
How it checked
1. nothing is left on it
2. done
at the end: nothing says that the fault stands`);
  expect(remediationWords(over, about).awaits).toBe(undefined);
});

test('what is held back says by which guard rail', () => {
  const text = textOf(
    remediation({
      phase: 'Waiting',
      decisions: [
        { guard: 'paused', allowed: true, says: 'it is not paused' },
        { guard: 'cooldown', allowed: false, says: 'for 40 s more' },
      ],
    }),
  );
  expect(text).toContain(
    'Why that is held back\n1 of 2 guard rails do not let it pass\ncooldown: for 40 s more',
  );
});

const acceptedAt = '2026-01-01T00:00:00Z';
const later = '2026-01-01T00:10:00Z';
const awaited = { ...step, action: 'wait-for-approval' as const, text: 'wait' };

test.each([
  ['all of it', { phase: 'AwaitingApproval', acceptedAt, digest: 'd' }, acceptedAt],
  [
    'a step of it',
    {
      phase: 'Running',
      acceptedAt,
      digest: 'd',
      plan: [{ ...awaited, action: 'notify' }, awaited],
      steps: [{ state: 'Done' }, { state: 'Running', startedAt: later }],
    },
    later,
  ],
] as const)('%s waits for a person, until its deadline', (_what, status, since) => {
  const { awaits, stands } = remediationWords(
    remediation(status as unknown as Remediation['status']),
    about,
  );
  expect(stands).toBe('waits for an approval');
  expect(awaits).toEqual({ digest: 'd', untilMs: Date.parse(since) + 60_000 });
});

test('a step that is done, or that is none of waiting, waits for nobody', () => {
  const running = (steps: object[], action: string): Remediation =>
    remediation({
      phase: 'Running',
      digest: 'd',
      plan: [{ ...awaited, action }],
      steps,
    } as unknown as Remediation['status']);
  const started = { startedAt: later };
  expect(
    remediationWords(running([{ state: 'Done', ...started }], 'wait-for-approval'), about).awaits,
  ).toBe(undefined);
  expect(
    remediationWords(running([{ state: 'Running', ...started }], 'notify'), about).awaits,
  ).toBe(undefined);
});
