import { createHash } from 'node:crypto';
import { type Clock, isTaplineError, type Log } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import {
  type OpsTarget,
  type Playbook,
  type Remediation,
  remediationResource,
} from '@tapline/resources';
import { targetText } from '../fleet.ts';
import { graphKey } from '../graph/dependencies.ts';
import { type FaultGroup, groupFaults } from '../graph/group-faults.ts';
import { judge } from '../guards/guard-rails.ts';
import { isoTime } from '../ledger.ts';
import { planRun } from '../plan/plan-run.ts';
import type { PlannedStep } from '../plan/planned-step.ts';
import { type Fault, faultKey } from '../playbooks/fault.ts';
import { createIncidentWriter, type HeldFault } from './incident-writer.ts';
import { policyName } from './ledger-writer.ts';
import type { OpsInformers } from './ops-informers.ts';
import { isOver } from './remediation-worker.ts';
import { faultOf } from './root-playbook.ts';
import type { OpsSight } from './worker-init.ts';
import type { SignalDesk } from './signal-desk.ts';

export interface DeciderInit {
  readonly client: ResourceClient;
  readonly informers: OpsInformers;
  readonly sight: OpsSight;
  readonly desk: Pick<SignalDesk, 'book' | 'live'>;
  readonly clock: Clock;
  readonly log: Log;
  /** A remediation was begun: somebody has to work on it. */
  readonly onBegun: (name: string) => void;
  /** From when the newest evidence was heard until it was decided. */
  readonly onDecision: (about: { readonly seconds: number; readonly outcome: string }) => void;
}

/** What stands is looked at as a whole, so it does not matter what came in which order, or twice. */
export interface Decider {
  /** Decides about every fault; when to look again, where time alone may change it. */
  decide(): Promise<number | undefined>;
  /** Writes the Incidents of what was decided last: for people, so nothing that is done waits for it. */
  writeIncidents(): Promise<void>;
  /** What is next where a remediation did not help. */
  escalate(from: Remediation, playbook: Playbook): Promise<string>;
}

export function createDecider(init: DeciderInit): Decider {
  const { client, informers, sight, desk, clock } = init;
  const incidents = createIncidentWriter(init);
  const told = new Set<string>();
  interface Work {
    readonly group: FaultGroup;
    readonly own: readonly Fault[];
    readonly held: HeldFault[];
  }
  let decided: readonly Work[] | undefined;

  async function decide(): Promise<number | undefined> {
    const fleet = sight.fleet();
    const faults = sight.faults();
    await markCleared(faults);
    const targets = new Map([...faults.values()].map(({ target }) => [graphKey(target), target]));
    const groups = groupFaults(fleet, [...targets.values()]);
    const byTarget = Map.groupBy(faults.values(), ({ target }) => graphKey(target));
    const work = groups.map((group): Work => {
      const own = group.targets.flatMap((target) => byTarget.get(graphKey(target)) ?? []);
      return { group, own, held: [] };
    });
    let retryMs: number | undefined;
    for (const { group, own, held } of work) {
      for (const fault of own) {
        const outcome = await decideFault(fault, group);
        if (outcome.kind !== 'held') continue;
        held.push({ fault, ...outcome });
        if (outcome.retryMs !== undefined) retryMs = Math.min(retryMs ?? Infinity, outcome.retryMs);
      }
    }
    decided = work;
    return retryMs;
  }

  async function writeIncidents(): Promise<void> {
    const work = decided;
    if (work === undefined) return;
    for (const { group, own, held } of work) {
      await incidents.update({ group, incident: await incidents.open(group), faults: own, held });
      // What stands otherwise meanwhile is written instead.
      if (decided !== work) return await writeIncidents();
    }
    await incidents.resolveOthers(new Set(work.map(({ group }) => graphKey(group.cause))));
    if (decided !== work) await writeIncidents();
  }

  type Decision =
    | { readonly kind: 'begun' | 'known' }
    | {
        readonly kind: 'held';
        readonly guard: string;
        readonly says: string;
        readonly retryMs?: number;
      };

  async function decideFault(fault: Fault, group: FaultGroup): Promise<Decision> {
    const { playbook, target } = fault;
    if (currentOf(playbook.metadata.name, target) !== undefined) return { kind: 'known' };
    const decision = judgeFault(fault);
    if (decision.kind === 'held') {
      tellOnce(fault, decision.guard);
      return decision;
    }
    const reason = fault.evidence[0]?.signal.says ?? 'a fault stands';
    const name = remediationName(fault);
    const incident = await incidents.open(group);
    await create({ name, playbook, target, incident, reason });
    tellOnce(fault, 'begun');
    return { kind: 'begun' };
  }

  function judgeFault(fault: Fault): Decision {
    const { playbook, target } = fault;
    let plan: readonly PlannedStep[];
    try {
      plan = planRun(playbook, target, sight.fleet());
    } catch (error) {
      if (!isTaplineError(error)) throw error;
      return { kind: 'held', guard: 'plan', says: error.message, retryMs: 10_000 };
    }
    const policy = informers.policies.get(policyName);
    if (policy === undefined) {
      return { kind: 'held', guard: 'policy', says: 'there is no policy yet', retryMs: 100 };
    }
    const judged = judge({
      ...fault,
      policy: policy.spec,
      ledger: policy.status ?? {},
      fleet: sight.fleet(),
      plan,
      faults: sight.faults(),
      extent: sight.extent,
      live: sight.live,
      nowMs: clock.now(),
      monotonicMs: clock.monotonic(),
    });
    const { heldBy, retryMs } = judged;
    if (heldBy !== undefined) {
      const again = retryMs === undefined ? {} : { retryMs };
      return { kind: 'held', guard: heldBy.guard, says: heldBy.says, ...again };
    }
    if (playbook.spec.mode === 'Observe') {
      const says = `it would ${plan.map(({ text }) => text).join('; then ')}`;
      return { kind: 'held', guard: 'observe', says };
    }
    return { kind: 'begun' };
  }

  /** How long it took is told once for what is new; a fault that is held stays the same decision. */
  function tellOnce({ playbook, target, evidence }: Fault, outcome: string): void {
    const newest = Math.max(...evidence.map(({ seenMs }) => seenMs));
    const since = evidence.map(({ signal }) => signal.order).join();
    const key = `${faultKey(playbook.metadata.name, target)} ${since} ${outcome}`;
    if (told.has(key)) return;
    if (told.size > 10_000) told.clear();
    told.add(key);
    const seconds = Math.max(0, clock.monotonic() - newest) / 1000;
    init.onDecision({ seconds, outcome });
    init.log.info('decided', {
      playbook: playbook.metadata.name,
      target: targetText(target),
      outcome,
      seconds,
    });
  }

  /** What is done, or was done, about the fault that stands now. */
  function currentOf(playbook: string, target: OpsTarget): Remediation | undefined {
    return informers.remediations
      .list()
      .find(
        ({ spec, status }) =>
          spec.playbook === playbook &&
          spec.requestedBy === undefined &&
          graphKey(spec.target) === graphKey(target) &&
          status?.clearedAt === undefined,
      );
  }

  async function create(about: {
    readonly name: string;
    readonly playbook: Playbook;
    readonly target: OpsTarget;
    readonly incident: string | undefined;
    readonly reason: string;
    readonly escalatedFrom?: string;
  }): Promise<void> {
    const { name, playbook, target, incident, reason, escalatedFrom } = about;
    try {
      const created = await client.create(remediationResource, {
        metadata: { name },
        spec: {
          playbook: playbook.metadata.name,
          target,
          reason: reason.slice(0, 1024),
          ...(incident !== undefined && { incident }),
          ...(escalatedFrom !== undefined && { escalatedFrom }),
        },
      });
      informers.remediations.observe(created);
    } catch (error) {
      // Begun before, by us or by who led then.
      if (!isTaplineError(error, 'already_exists')) throw error;
    }
    init.onBegun(name);
  }

  /**
   * What is over is marked, so that the same fault another time is another one. Silence is not its end:
   * a source that is not heard, as after a start, has not said that it is over.
   */
  async function markCleared(faults: ReadonlyMap<string, Fault>): Promise<void> {
    for (const remediation of informers.remediations.list()) {
      const { status } = remediation;
      if (status?.clearedAt !== undefined || !isOver.has(status?.phase ?? '')) continue;
      if (faultOf(remediation, { faults, informers }) !== undefined) continue;
      const unheard = (status?.evidence ?? []).some(({ key, source }) => {
        if (desk.book.has(key)) return false;
        const liveMs = desk.live(source);
        return liveMs === undefined || clock.monotonic() - liveMs > 10_000;
      });
      if (unheard) continue;
      try {
        const written = await client.updateStatus(remediationResource, {
          ...remediation,
          status: { ...status, clearedAt: isoTime(clock.now()) },
        });
        informers.remediations.observe(written);
      } catch (error) {
        if (!isTaplineError(error, 'conflict') && !isTaplineError(error, 'not_found')) throw error;
      }
    }
  }

  return {
    decide,
    writeIncidents,
    async escalate(from, playbook) {
      const { escalateTo } = playbook.spec;
      const next = escalateTo === undefined ? undefined : informers.playbooks.get(escalateTo);
      // A ladder that leads back to its own rungs would never reach a person.
      if (next === undefined || isBelow(from, next.metadata.name)) return 'person';
      if (next.spec.target.kind !== from.spec.target.kind) return 'person';
      const name = `${next.metadata.name}.${shortHash(from.metadata.name)}`;
      await create({
        name,
        playbook: next,
        target: from.spec.target,
        incident: from.spec.incident,
        reason: `${playbook.metadata.name} did not help`,
        escalatedFrom: from.metadata.name,
      });
      return name;
    },
  };

  function isBelow(from: Remediation, playbook: string): boolean {
    for (let at: Remediation | undefined = from; at !== undefined;) {
      if (at.spec.playbook === playbook) return true;
      at =
        at.spec.escalatedFrom === undefined
          ? undefined
          : informers.remediations.get(at.spec.escalatedFrom);
    }
    return false;
  }
}

/** The same for the same fault, whoever decides: what is created twice is created once. */
export function remediationName({ playbook, target, evidence }: Fault): string {
  const first = evidence[0]?.signal;
  const id = [playbook.metadata.uid, graphKey(target), first?.key, first?.sinceMs].join(' ');
  return `${playbook.metadata.name.slice(0, 200)}.${shortHash(id)}`;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 10);
}
