import { describe, expect, test } from 'vitest';
import { isoTime } from '../ledger.ts';
import { faultsOf } from '../playbooks/fault.ts';
import { planRun } from '../plan/plan-run.ts';
import { bookOf, fleet, guardContext, playbook, signal } from '../testing/samples.ts';
import type { GuardContext } from './guard.ts';
import { judge } from './guard-rails.ts';

const nowMs = Date.UTC(2026, 0, 1);
const at = isoTime(nowMs - 60_000);
const target = { kind: 'Node', name: 'n1' } as const;
const other = { kind: 'Node', name: 'n2' } as const;

function heldBy(change: Partial<GuardContext>): string | undefined {
  return judge(guardContext(change)).heldBy?.guard;
}

function entry(change: object = {}) {
  return { remediation: 'r1', playbook: 'dead-node', target: other, at, ...change };
}

function ended(outcome: 'Succeeded' | 'Failed', change: object = {}) {
  return { ...entry(change), endedAt: at, outcome, resets: 0 };
}

test('with nothing against it, it is allowed, and every guard rail has said why', () => {
  const { heldBy: held, verdicts } = judge(guardContext());
  expect(held).toBeUndefined();
  expect(verdicts.length).toBe(17);
  expect(verdicts.every(({ says }) => says !== '')).toBe(true);
});

describe('each guard rail holds by itself', () => {
  test('the switch, and that of the playbook', () => {
    const { policy } = guardContext();
    expect(heldBy({ policy: { ...policy, paused: true } })).toBe('paused');
    expect(heldBy({ playbook: playbook('dead-node', { paused: true }) })).toBe('paused');
    const over = { ...policy, paused: true, pausedUntil: isoTime(nowMs - 1) };
    expect(heldBy({ policy: over })).toBeUndefined();
    const { retryMs } = judge(
      guardContext({ policy: { ...over, pausedUntil: isoTime(nowMs + 5000) } }),
    );
    expect(retryMs).toBe(5000);
  });

  test('maintenance, of the node or of its device, and what a person has in hand', () => {
    const labels = { n1: { 'ops.tapline.dev/maintenance': 'true' } };
    expect(heldBy({ fleet: fleet({ labels }) })).toBe('maintenance');
    const evidence = [...bookOf([signal({ handled: true })]).values()];
    expect(heldBy({ evidence })).toBe('maintenance');
  });

  test('what Icinga says of a host whose session is open, or that has never had one', () => {
    const seen = fleet();
    const with1 = (presence: object | undefined) => {
      const device = seen.devices.get('n1');
      if (device === undefined) throw new Error('no device');
      const status = presence === undefined ? {} : { presence };
      const changed = { ...device, status } as typeof device;
      return { ...seen, devices: new Map(seen.devices).set('n1', changed) };
    };
    const open = with1({ connected: true, epoch: 2, since: at });
    expect(heldBy({ fleet: open })).toBe('presence');
    expect(heldBy({ fleet: with1(undefined) })).toBe('presence');
    expect(heldBy({ fleet: with1({ connected: false, epoch: 2, since: at }) })).toBeUndefined();
    // Another source says so, too, or it is about something else.
    const says = signal({ source: 'alertmanager', key: 'alertmanager/1' });
    const both = [...bookOf([signal(), says]).values()];
    expect(heldBy({ fleet: open, evidence: both })).toBeUndefined();
    const disk = [...bookOf([signal({ topic: 'disk', state: 'critical' })]).values()];
    expect(heldBy({ fleet: open, evidence: disk })).toBeUndefined();
  });

  test('more of the same that just began: nobody knows yet how many there are', () => {
    const of = playbook('dead-node', { guards: { settleSeconds: 2 } });
    const book = bookOf([signal(), signal({ host: 'n2' })]);
    const faults = faultsOf(book, [of], fleet());
    const evidence = [...bookOf([signal()]).values()];
    const common = { playbook: of, faults, evidence };
    expect(heldBy({ ...common, monotonicMs: 2500 })).toBe('still');
    const { retryMs } = judge(guardContext({ ...common, monotonicMs: 2500 }));
    expect(retryMs).toBe(500);
    expect(heldBy({ ...common, monotonicMs: 3000 })).toBeUndefined();
  });

  test('stale evidence; a source that lives confirms what it said', () => {
    const monotonicMs = 601_000;
    expect(heldBy({ monotonicMs })).toBe('fresh');
    expect(heldBy({ monotonicMs, live: () => 600_000 })).toBeUndefined();
  });

  test('too few sources, also where one repeats itself', () => {
    const of = playbook('dead-node', { guards: { minEvidence: 2 } });
    const twice = [
      ...bookOf([signal(), signal({ key: 'icinga/n1!node', topic: 'node' })]).values(),
    ];
    expect(heldBy({ playbook: of, evidence: twice })).toBe('quorum');
    const two = [...bookOf([signal(), signal({ source: 'condition', key: 'c' })]).values()];
    expect(heldBy({ playbook: of, evidence: two })).toBeUndefined();
  });

  test('what comes and goes', () => {
    const changes = Array.from({ length: 7 }, (_, n) =>
      signal({ order: n * 1000, state: n % 2 === 0 ? 'down' : 'ok' }),
    );
    expect(heldBy({ evidence: [...bookOf(changes, -7000).values()] })).toBe('flapping');
  });

  test('what has not lasted long enough; then it says for how long to wait', () => {
    const of = playbook('dead-node', { guards: { settleSeconds: 5 } });
    const judged = judge(guardContext({ playbook: of }));
    expect(judged.heldBy?.guard).toBe('settled');
    expect(judged.retryMs).toBe(4000);
  });

  const ten = Array.from({ length: 10 }, (_, n) => `n${n}`);
  const nodes = Object.fromEntries(ten.map((name) => [name, name]));

  test('the blast radius, which recovery passes', () => {
    const seen = fleet({ nodes, present: ten.slice(6) });
    const book = bookOf(ten.slice(0, 6).map((host) => signal({ host })));
    const of = playbook('dead-node', { guards: { maxTargets: 2, maxTargetPercent: 50 } });
    const storm = (one: typeof of) => ({
      playbook: one,
      faults: faultsOf(book, [one], seen),
      fleet: seen,
    });
    expect(heldBy(storm(of))).toBe('blast-radius');
    expect(
      heldBy(storm({ ...of, spec: { ...of.spec, steps: [{ action: 'uncordon-node' }] } })),
    ).toBe(undefined);
    const lenient = playbook('dead-node', { guards: { maxTargets: 2, maxTargetPercent: 60 } });
    expect(heldBy(storm(lenient))).toBeUndefined();
  });

  test('the blast radius, also where word has come of one only and sessions of others have ended', () => {
    const of = playbook('dead-node', { guards: { maxTargets: 2, maxTargetPercent: 50 } });
    const heldIn = (seen: ReturnType<typeof fleet>) => {
      const faults = faultsOf(bookOf([signal({ host: 'n1' })]), [of], seen);
      return heldBy({ playbook: of, faults, fleet: seen });
    };
    expect(heldIn(fleet({ nodes, present: ten.slice(6) }))).toBe('blast-radius');
    expect(heldIn(fleet({ nodes, present: ten.filter((name) => name !== 'n1') }))).toBeUndefined();
  });

  test('a consequence of something else that has a playbook', () => {
    const seen = fleet({ workloads: { news: ['n1'] } });
    const restart = playbook('restart', {
      on: { alert: { name: 'Slow' } },
      target: { kind: 'Workload' },
      steps: [{ action: 'restart-workload' }],
    });
    const slow = signal({
      source: 'alertmanager',
      key: 'alertmanager/1',
      topic: 'Slow',
      state: 'firing',
      targets: [{ kind: 'Workload', name: 'news' }],
    });
    const book = bookOf([slow, signal()]);
    const both = faultsOf(book, [restart, playbook('dead-node')], seen);
    const fault = both.get('restart/Workload/news');
    expect(heldBy({ ...fault, fleet: seen, faults: both })).toBe('symptom');
    const alone = faultsOf(bookOf([slow]), [restart, playbook('dead-node')], seen);
    expect(heldBy({ ...alone.get('restart/Workload/news'), fleet: seen, faults: alone })).toBe(
      undefined,
    );
  });

  test('the last healthy replica', () => {
    const disturbs = [{ workload: 'news', replicas: 1 }];
    const [step] = planRun(playbook('p'), target, fleet());
    const plan = step === undefined ? [] : [{ ...step, disturbs }];
    expect(heldBy({ plan, fleet: fleet({ workloads: { news: ['n1'] } }) })).toBe(
      'healthy-replicas',
    );
    expect(heldBy({ plan, fleet: fleet({ workloads: { news: ['n1', 'n2'] } }) })).toBeUndefined();
  });

  test('a target that something else works on', () => {
    const running = [entry({ playbook: 'another', target })];
    expect(heldBy({ ledger: { running } })).toBe('target-lease');
  });

  test('the pause after a run on the target, also where the clock was set back', () => {
    expect(heldBy({ ledger: { ended: [ended('Succeeded', { target })] } })).toBe('cooldown');
    const future = { ...ended('Succeeded', { target }), endedAt: isoTime(nowMs + 9_000_000) };
    expect(judge(guardContext({ ledger: { ended: [future] } })).retryMs).toBe(300_000);
    expect(heldBy({ ledger: { ended: [ended('Succeeded')] } })).toBeUndefined();
  });

  test('failures, until a person resets them; recovery passes', () => {
    const failed = [1, 2, 3].map(() => ended('Failed'));
    expect(heldBy({ ledger: { ended: failed } })).toBe('breaker');
    const { policy } = guardContext();
    expect(heldBy({ ledger: { ended: failed }, policy: { ...policy, resets: 1 } })).toBeUndefined();
  });

  test('how many at a time, of the playbook and in all', () => {
    expect(heldBy({ ledger: { running: [entry()] } })).toBe('concurrency');
    const of = playbook('dead-node', { guards: { concurrent: 9 } });
    const running = [1, 2, 3].map((n) => entry({ target: { kind: 'Node', name: `x${n}` } }));
    expect(heldBy({ playbook: of, ledger: { running } })).toBe('concurrency');
  });

  test('how many in an hour, and in a day', () => {
    const six = Array.from({ length: 6 }, () => ended('Succeeded'));
    expect(heldBy({ ledger: { ended: six } })).toBe('rate');
    const { policy } = guardContext();
    const others = Array.from({ length: 5 }, () => ({
      ...ended('Succeeded', { playbook: 'x' }),
      at: isoTime(nowMs - 7_200_000),
    }));
    expect(heldBy({ ledger: { ended: others }, policy: { ...policy, perDay: 5 } })).toBe('budget');
  });
});

test('who is asked for something by a person does not ask for evidence, and keeps to all limits', () => {
  const context = guardContext({ evidence: [], monotonicMs: 9e9 });
  expect(judge(context, { requested: true }).heldBy).toBeUndefined();
  const running = [entry({ target })];
  expect(judge({ ...context, ledger: { running } }, { requested: true }).heldBy?.guard).toBe(
    'target-lease',
  );
});
