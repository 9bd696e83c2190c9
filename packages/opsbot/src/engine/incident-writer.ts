import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { type Clock, isTaplineError } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import { type Incident, incidentResource, type IncidentStatus } from '@tapline/resources';
import { targetText } from '../fleet.ts';
import { graphKey } from '../graph/dependencies.ts';
import type { FaultGroup } from '../graph/group-faults.ts';
import { isoTime } from '../ledger.ts';
import type { Fault } from '../playbooks/fault.ts';
import type { OpsInformers } from './ops-informers.ts';

/** What a guard rail kept back. */
export interface HeldFault {
  readonly fault: Fault;
  readonly guard: string;
  readonly says: string;
}

const maxListed = 100;

/** Keeps Incidents as the groups of faults are: one open Incident a cause. */
export function createIncidentWriter(init: {
  readonly client: ResourceClient;
  readonly informers: OpsInformers;
  readonly clock: Clock;
}): {
  /** The Incident of a cause, which is open from then on. */
  open(group: FaultGroup): Promise<string>;
  update(about: {
    readonly group: FaultGroup;
    readonly incident: string;
    readonly faults: readonly Fault[];
    readonly held: readonly HeldFault[];
  }): Promise<void>;
  /** Ends those whose cause explains nothing any more. */
  resolveOthers(causes: ReadonlySet<string>): Promise<void>;
} {
  const { client, informers, clock } = init;
  const opening = new Map<string, Promise<string>>();

  function openOf(cause: string): Incident | undefined {
    return informers.incidents
      .list()
      .find(({ spec, status }) => graphKey(spec.cause) === cause && status?.phase !== 'Resolved');
  }

  async function open({ cause }: FaultGroup): Promise<string> {
    const found = openOf(graphKey(cause));
    if (found !== undefined) return found.metadata.name;
    const openedAt = isoTime(clock.now());
    const id = createHash('sha256')
      .update(`${graphKey(cause)} ${openedAt}`)
      .digest('hex');
    const plain = `${cause.kind}-${cause.name}`.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-');
    const created = await client.create(incidentResource, {
      metadata: { name: `${plain.slice(0, 200)}-${id.slice(0, 8)}` },
      spec: { cause: { kind: cause.kind, name: cause.name }, openedAt },
    });
    informers.incidents.observe(created);
    return created.metadata.name;
  }

  async function writeStatus(incident: Incident, status: IncidentStatus): Promise<void> {
    if (isDeepStrictEqual(incident.status, status)) return;
    try {
      const written = await client.updateStatus(incidentResource, { ...incident, status });
      informers.incidents.observe(written);
    } catch (error) {
      // Somebody deleted it, or wrote it meanwhile: the next look is at what there is then.
      if (!isTaplineError(error, 'conflict') && !isTaplineError(error, 'not_found')) throw error;
    }
  }

  return {
    open(group) {
      const key = graphKey(group.cause);
      // Asked for twice at a time it is still one.
      const asked = opening.get(key) ?? open(group).finally(() => opening.delete(key));
      opening.set(key, asked);
      return asked;
    },
    async update({ group, incident: name, faults, held }) {
      const incident = informers.incidents.get(name);
      if (incident === undefined) return;
      const done = informers.remediations
        .list()
        .filter(({ spec }) => spec.incident === name)
        .map(({ metadata }) => metadata.name)
        .toSorted();
      const listed = faults.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)).slice(0, maxListed);
      await writeStatus(incident, {
        phase: 'Open',
        severity: faults.some(isCritical) ? 'critical' : 'warning',
        summary: summaryOf(group, faults),
        targets: group.targets.length,
        faults: listed.map((fault) => ({
          target: targetText(fault.target),
          evidence: evidenceOf(fault),
        })),
        ...(done.length > 0 && { remediations: done.slice(0, maxListed) }),
        ...(held.length > 0 && {
          held: held.slice(0, maxListed).map(({ fault, guard, says }) => ({
            playbook: fault.playbook.metadata.name,
            target: targetText(fault.target),
            guard,
            says: keptSays(incident, fault, guard) ?? says.slice(0, 1024),
          })),
        }),
      });
    },
    async resolveOthers(causes) {
      for (const incident of informers.incidents.list()) {
        const { spec, status = {} } = incident;
        if (status.phase === 'Resolved' || causes.has(graphKey(spec.cause))) continue;
        const { held: _, ...rest } = status;
        const resolvedAt = isoTime(clock.now());
        await writeStatus(incident, { ...rest, phase: 'Resolved', resolvedAt });
      }
    },
  };
}

/** Numbers of the same verdict change with every look, and nobody has to be told. */
function keptSays(incident: Incident, fault: Fault, guard: string): string | undefined {
  return incident.status?.held?.find(
    (one) =>
      one.guard === guard &&
      one.playbook === fault.playbook.metadata.name &&
      one.target === targetText(fault.target),
  )?.says;
}

function keyOf({ playbook, target }: Fault): string {
  return `${graphKey(target)} ${playbook.metadata.name}`;
}

function isCritical({ evidence }: Fault): boolean {
  return evidence.some(({ signal }) => ['down', 'critical'].includes(signal.state));
}

function summaryOf({ cause, targets }: FaultGroup, faults: readonly Fault[]): string {
  const [only] = faults;
  const says = only?.evidence[0]?.signal.says ?? '';
  if (targets.length === 1) return `${targetText(cause)}: ${says}`.slice(0, 1024);
  return `${targets.length} objects have faults; ${targetText(cause)} explains them`;
}

function evidenceOf({ evidence }: Fault) {
  const signal = evidence[0]?.signal;
  return {
    source: signal?.source ?? 'condition',
    key: (signal?.key ?? '').slice(0, 600),
    says: (signal?.says ?? '').slice(0, 1024),
    since: isoTime(signal?.sinceMs ?? 0),
  } as const;
}
