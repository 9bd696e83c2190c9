import { Counter, Gauge, type Registry } from 'prom-client';
import type { IcingaMonitoringStatus, StateChange } from '@tapline/monitoring';

/** What is counted of how Icinga is kept in step. */
export interface MonitoringMetrics {
  step(kind: string): void;
  result(): void;
  change(change: StateChange): void;
  /** Where the rest is read from when somebody asks. */
  source(status: () => IcingaMonitoringStatus): void;
}

export function createMonitoringMetrics(registry: Registry): MonitoringMetrics {
  const registers = [registry];
  const steps = new Counter({
    name: 'tapline_icinga_steps_total',
    help: 'What was done in Icinga so that it has what is deployed.',
    labelNames: ['kind'],
    registers,
  });
  const results = new Counter({
    name: 'tapline_icinga_results_total',
    help: 'Check results that Icinga was told.',
    registers,
  });
  const changes = new Counter({
    name: 'tapline_icinga_state_changes_total',
    help: 'Changes of states in Icinga; missed ones were found by comparing after a cut.',
    labelNames: ['missed'],
    registers,
  });
  const source: { status?: () => IcingaMonitoringStatus } = {};
  const hosts: Gauge<'state'> = new Gauge({
    name: 'tapline_icinga_hosts',
    help: 'Hosts that Icinga is to have, has, and that have something to do or a problem.',
    labelNames: ['state'],
    registers,
    collect(): void {
      const registration = source.status?.().registration;
      if (registration === undefined) return;
      hosts.set({ state: 'wanted' }, registration.wanted);
      hosts.set({ state: 'registered' }, registration.registered);
      hosts.set({ state: 'waiting' }, registration.waiting);
      hosts.set({ state: 'problem' }, Object.keys(registration.problems).length);
    },
  });
  const live: Gauge = new Gauge({
    name: 'tapline_icinga_stream_live',
    help: 'Whether the event stream of Icinga is proven to live; absent without Icinga.',
    registers,
    collect(): void {
      const following = source.status?.().following;
      if (following === undefined) live.reset();
      else live.set(following.live ? 1 : 0);
    },
  });
  return {
    step: (kind) => steps.inc({ kind }),
    result: () => results.inc(),
    change: ({ missed }) => changes.inc({ missed: String(missed) }),
    source(status) {
      source.status = status;
    },
  };
}
