import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { icingaText } from '../icinga/icinga-text.ts';
import { applyStep } from './apply-step.ts';
import type { MonitoredHost } from './monitored-host.ts';
import type { ObservedHost } from './observed-host.ts';
import { planHost } from './plan-host.ts';
import { describeRegistrationStep } from './registration-step.ts';

const instance = 'ours';
const outcome = { state: 0, output: 'fine' } as const;

const checks = fc.uniqueArray(
  fc.record({
    name: fc.constantFrom('disk', 'tunnel', 'clock', 'segment-blue'),
    title: fc.constantFrom('One', 'Two $x$', 'Three | four'),
    outcome: fc.constant(outcome),
    watchdog: fc.constantFrom(undefined, undefined, true as const),
  }),
  { selector: (check) => check.name },
);

const wantedHost = fc.record({
  name: fc.constant('edge-1'),
  title: fc.constantFrom('Edge 1', 'Edge "one"'),
  kind: fc.constantFrom('device', 'node'),
  outcome: fc.constant(outcome),
  checks,
}) as fc.Arbitrary<MonitoredHost>;

const observedHost: fc.Arbitrary<ObservedHost> = fc.record({
  instance: fc.constant(instance),
  kind: fc.constantFrom('device', 'node', undefined),
  title: fc.string(),
  checks: fc
    .dictionary(
      fc.constantFrom('disk', 'tunnel', 'clock', 'old'),
      fc.record({ title: fc.string(), single: fc.boolean() }),
    )
    .map((all) => new Map(Object.entries(all))),
});

function carryOut(wanted: MonitoredHost | undefined, there: ObservedHost | undefined) {
  const steps = planHost('edge-1', wanted, { there, instance });
  const after = steps.reduce((host, step) => applyStep(host, { step, instance }), there);
  return { steps, after };
}

test('whatever there is, the plan ends at what is wanted, and then there is nothing to do', () => {
  fc.assert(
    fc.property(
      fc.option(wantedHost, { nil: undefined }),
      fc.option(observedHost, { nil: undefined }),
      (wanted, there) => {
        const { after } = carryOut(wanted, there);
        expect(carryOut(wanted, after).steps).toEqual([]);
        expect(after?.title).toBe(wanted === undefined ? undefined : icingaText(wanted.title));
        expect([...(after?.checks.keys() ?? [])].toSorted()).toEqual(
          (wanted?.checks ?? []).map((check) => check.name).toSorted(),
        );
      },
    ),
  );
});

test('no step touches what somebody else made', () => {
  fc.assert(
    fc.property(
      wantedHost,
      observedHost,
      fc.constantFrom(undefined, 'theirs'),
      (wanted, observed, other) => {
        const there = { ...observed, instance: other };
        expect(planHost('edge-1', undefined, { there, instance })).toEqual([]);
        expect(() => planHost('edge-1', wanted, { there, instance })).toThrow(
          'Icinga has a host edge-1',
        );
      },
    ),
  );
});

describe('in words', () => {
  const host: MonitoredHost = {
    name: 'edge-1',
    title: 'Edge 1',
    kind: 'device',
    outcome,
    checks: [
      { name: 'disk', title: 'Disk', outcome },
      { name: 'reports', title: 'Reports', outcome, watchdog: true },
    ],
  };

  test('a host brings its checks along, but for a watchdog', () => {
    expect(carryOut(host, undefined).steps.map(describeRegistrationStep)).toEqual([
      'create host edge-1 with 2 checks',
      'create check edge-1!reports',
    ]);
  });

  test('a check that came with its host goes only with it', () => {
    const there = carryOut(host, undefined).after;
    const fewer = { ...host, checks: host.checks.slice(1) };
    expect(carryOut(fewer, there).steps.map(describeRegistrationStep)).toEqual([
      'delete host edge-1 with its checks',
      'create host edge-1 with 1 checks',
      'create check edge-1!reports',
    ]);
  });
});
