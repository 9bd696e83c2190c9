import type { Clock, Log } from '@tapline/base';
import type { ResourceClient } from '@tapline/client';
import type { EventRecorder } from '@tapline/reconcile';
import type { Playbook, Remediation } from '@tapline/resources';
import type { Span } from '@tapline/telemetry';
import type { Fleet } from '../fleet.ts';
import type { Fault } from '../playbooks/fault.ts';
import type { FaultExtent } from '../playbooks/fault-extent.ts';
import type { SourceLiveness } from '../signals/signal-book.ts';
import type { ExecuteOnDevice } from './carry-out.ts';
import type { LedgerWriter } from './ledger-writer.ts';
import type { OpsInformers } from './ops-informers.ts';

/** What is seen, when it is asked for. */
export interface OpsSight {
  fleet(): Fleet;
  faults(): ReadonlyMap<string, Fault>;
  readonly extent: (playbook: Playbook) => FaultExtent;
  readonly live: SourceLiveness;
}

export interface WorkerInit {
  readonly client: ResourceClient;
  readonly informers: OpsInformers;
  readonly ledger: LedgerWriter;
  readonly events: EventRecorder;
  readonly sight: OpsSight;
  readonly epoch: number;
  readonly execute: ExecuteOnDevice | undefined;
  /** Begins what is to be tried next; answers its name, or `person`. */
  readonly escalate: (from: Remediation, playbook: Playbook) => Promise<string>;
  /** A remediation is over, and where its time went. */
  readonly onSpans?: ((spans: readonly Span[]) => void) | undefined;
  readonly clock: Clock;
  readonly log: Log;
}
