import type { Incident, OpsPolicy, Playbook, Remediation } from '@tapline/resources';

/** What the page shows of each kind. */
export interface ConsoleObjects {
  readonly incidents: Incident;
  readonly remediations: Remediation;
  readonly playbooks: Playbook;
  readonly opspolicies: OpsPolicy;
}

export type ConsoleKind = keyof ConsoleObjects;

type About<M> = {
  readonly [K in ConsoleKind]: { readonly kind: K } & M & {
      readonly objects: readonly ConsoleObjects[K][];
    };
}[ConsoleKind];

/** A line of the stream that a page reads. */
export type ConsoleMessage =
  | {
      readonly type: 'session';
      readonly user: string;
      /** Of the control plane. */
      readonly server: string;
      readonly mayApprove: boolean;
      readonly mayPause: boolean;
    }
  /** All there are. */
  | About<{ readonly type: 'all' }>
  /** Those that are new or other than before. */
  | About<{ readonly type: 'changed' }>
  | { readonly type: 'gone'; readonly kind: ConsoleKind; readonly name: string }
  /** They cannot be read now; it is tried again. */
  | {
      readonly type: 'trouble';
      readonly kind: ConsoleKind | 'session';
      readonly code: string;
      readonly message: string;
    };

/** What a person says of a plan with just this digest. */
export interface ConsoleDecision {
  readonly name: string;
  readonly digest: string;
  readonly decision: 'Approved' | 'Rejected';
  readonly reason?: string | undefined;
}

export interface ConsoleSwitch {
  readonly paused: boolean;
  readonly reason?: string | undefined;
}
