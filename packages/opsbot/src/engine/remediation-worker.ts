import { TaplineError } from '@tapline/base';
import type { Outcome } from '@tapline/reconcile';
import type { Remediation } from '@tapline/resources';
import { operationOf } from '../plan/stored-plan.ts';
import { createAdvance } from './advance-remediation.ts';
import { createDecision } from './decide-remediation.ts';
import { fence } from './fenced-writer.ts';
import { createRemediationWriter, type Next } from './remediation-writer.ts';
import type { WorkerInit } from './worker-init.ts';

const maxMoves = 200;

export const isOver: ReadonlySet<string> = new Set(['Succeeded', 'Failed', 'Refused', 'Rejected']);

/**
 * Brings one remediation to its end, from what is on disk: plan, decision, approval, steps, checks, and
 * undo. Every move is written before and after it is made, under this leader's epoch.
 */
export function createRemediationWorker(init: WorkerInit): {
  work(name: string, signal: AbortSignal): Promise<Outcome>;
} {
  const { client, informers, epoch } = init;
  const writer = createRemediationWriter(init);
  const { write, end, settle } = writer;
  const decide = createDecision(init, writer);
  const advance = createAdvance(init, writer);

  async function work(name: string, signal: AbortSignal): Promise<Outcome> {
    let remediation = informers.remediations.get(name);
    for (let moves = 0; moves < maxMoves; moves += 1) {
      if (remediation === undefined) return { done: true };
      const next = await move(remediation, signal);
      if (next.kind === 'wait') return { requeueAfterMs: next.ms };
      if (next.kind === 'over') return { done: true };
      remediation = next.remediation;
    }
    return { requeueAfterMs: 1 };
  }

  async function move(remediation: Remediation, signal: AbortSignal): Promise<Next> {
    const { status = {}, spec, metadata } = remediation;
    if (isOver.has(status.phase ?? '')) return await settle(remediation, signal);
    const playbook = informers.playbooks.get(spec.playbook);
    if (playbook === undefined) {
      return await end(remediation, {
        phase: status.phase === 'Running' ? 'Failed' : 'Refused',
        outcome: `playbook ${spec.playbook} does not exist`,
      });
    }
    if ((status.epoch ?? 0) > epoch) {
      throw new TaplineError('ops_fenced', `${metadata.name} is at epoch ${status.epoch}`);
    }
    if (status.phase !== 'Running') return await decide(remediation, playbook);
    if (status.epoch !== epoch) return await takeOver(remediation, signal);
    return await advance(remediation, playbook, signal);
  }

  /** Another led before: what it may still have under way must not arrive any more. */
  async function takeOver(remediation: Remediation, signal: AbortSignal): Promise<Next> {
    const { plan = [] } = remediation.status ?? {};
    const author = { client, epoch, remediation: remediation.metadata.name, signal };
    for (const step of plan) {
      const operation = operationOf(step);
      if ('object' in operation) await fence(author, operation.object);
    }
    return await write(remediation, { ...remediation.status, epoch });
  }

  return { work };
}
