import type { TaplineError } from '@tapline/base';
import {
  type Playbook,
  type Remediation,
  remediationResource,
  type RemediationStatus,
} from '@tapline/resources';
import { findTarget, targetText } from '../fleet.ts';
import { endEntry, isoTime } from '../ledger.ts';
import { remediationSpans } from '../run/remediation-spans.ts';
import type { WorkerInit } from './worker-init.ts';

/** What is to be done with a remediation after a move. */
export type Next =
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'over' }
  | { readonly kind: 'again'; readonly remediation: Remediation };

/** How a remediation is written down, held and ended, under this leader's epoch. */
export interface RemediationWriter {
  readonly write: (remediation: Remediation, status: RemediationStatus) => Promise<Next>;
  /** Says why it waits, once for each reason. */
  readonly hold: (
    remediation: Remediation,
    status: RemediationStatus,
    retryMs?: number,
  ) => Promise<Next>;
  /** It cannot be done at all: what is to be tried next is begun. */
  readonly refuse: (
    remediation: Remediation,
    playbook: Playbook,
    error: TaplineError,
  ) => Promise<Next>;
  readonly end: (
    remediation: Remediation,
    to: { readonly phase: NonNullable<RemediationStatus['phase']>; readonly outcome: string },
  ) => Promise<Next>;
  /** Takes it out of what runs; also after a crash between its end and this. */
  readonly settle: (remediation: Remediation, signal: AbortSignal) => Promise<Next>;
  /** Tells it as an event of its target. */
  readonly record: (
    remediation: Remediation,
    event: {
      readonly type: 'Normal' | 'Warning';
      readonly reason: string;
      readonly message: string;
    },
  ) => void;
}

export function createRemediationWriter(
  init: Pick<
    WorkerInit,
    | 'client'
    | 'informers'
    | 'ledger'
    | 'events'
    | 'sight'
    | 'epoch'
    | 'escalate'
    | 'onSpans'
    | 'clock'
    | 'log'
  >,
): RemediationWriter {
  const { client, informers, ledger, sight, epoch, clock } = init;

  async function refuse(
    remediation: Remediation,
    playbook: Playbook,
    { code, message }: TaplineError,
  ): Promise<Next> {
    const status = { ...remediation.status, error: { code, message } };
    const next = await init.escalate(remediation, playbook);
    return await end(
      { ...remediation, status: { ...status, escalated: next } },
      { phase: 'Refused', outcome: message.slice(0, 1024) },
    );
  }

  async function end(
    remediation: Remediation,
    to: { readonly phase: NonNullable<RemediationStatus['phase']>; readonly outcome: string },
  ): Promise<Next> {
    const { metadata, spec, status = {} } = remediation;
    const playbook = informers.playbooks.get(spec.playbook);
    const isLost = to.phase === 'Failed' && status.escalated === undefined;
    const escalated =
      isLost && playbook !== undefined ? await init.escalate(remediation, playbook) : undefined;
    const finishedAt = isoTime(clock.now());
    const written = await write(remediation, {
      ...status,
      epoch,
      phase: to.phase,
      outcome: to.outcome.slice(0, 1024),
      finishedAt,
      ...(escalated !== undefined && { escalated }),
    });
    tell(remediation, to, escalated);
    if (written.kind === 'again') init.onSpans?.(remediationSpans(written.remediation));
    init.log.info('remediation over', {
      remediation: metadata.name,
      target: targetText(spec.target),
      ...to,
    });
    return written;
  }

  async function settle(remediation: Remediation, signal: AbortSignal): Promise<Next> {
    const { name } = remediation.metadata;
    const known = informers.policies.get('default')?.status?.running ?? [];
    if (known.some((one) => one.remediation === name)) {
      const outcome = remediation.status?.phase === 'Succeeded' ? 'Succeeded' : 'Failed';
      await ledger.change((policy) =>
        endEntry(policy.status ?? {}, {
          remediation: name,
          outcome,
          resets: policy.spec.resets,
          epoch,
          nowMs: clock.now(),
        }),
      );
    }
    signal.throwIfAborted();
    return { kind: 'over' };
  }

  async function hold(
    remediation: Remediation,
    status: RemediationStatus,
    retryMs = 60_000,
  ): Promise<Next> {
    const before = remediation.status ?? {};
    const same =
      before.phase === status.phase &&
      before.digest === status.digest &&
      // The guard rail, not its numbers: those change with every look.
      before.outcome?.split(':', 1)[0] === status.outcome?.split(':', 1)[0];
    if (!same) await write(remediation, status);
    return { kind: 'wait', ms: Math.min(retryMs, 60_000) };
  }

  async function write(remediation: Remediation, status: RemediationStatus): Promise<Next> {
    const written = await client.updateStatus(remediationResource, { ...remediation, status });
    informers.remediations.observe(written);
    return { kind: 'again', remediation: written };
  }

  function tell(
    remediation: Remediation,
    to: { readonly phase: string; readonly outcome: string },
    escalated: string | undefined,
  ): void {
    const type = to.phase === 'Succeeded' ? 'Normal' : 'Warning';
    const then = escalated === undefined ? '' : `; next: ${escalated}`;
    const message = `${remediation.spec.playbook}: ${to.outcome}${then}`;
    record(remediation, { type, reason: `Remediation${to.phase}`, message });
  }

  function record(
    remediation: Remediation,
    event: {
      readonly type: 'Normal' | 'Warning';
      readonly reason: string;
      readonly message: string;
    },
  ): void {
    const object = findTarget(sight.fleet(), remediation.spec.target) ?? remediation;
    init.events.record(object, event);
  }

  return { write, hold, refuse, end, settle, record };
}
