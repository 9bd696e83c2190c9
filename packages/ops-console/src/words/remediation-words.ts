import type { OpsPolicy, Remediation } from '@tapline/resources';
import { awaitedSince } from './awaited-since.ts';

export interface WordsPart {
  readonly title: string;
  readonly lines: readonly string[];
  /** What is there for who wants to know. */
  readonly details: readonly string[];
}

/** A remediation as people read it. */
export interface RemediationWords {
  readonly title: string;
  readonly stands: string;
  /** In order; one without lines is not there yet. */
  readonly parts: readonly WordsPart[];
  /** What waits for a person, where something does. */
  readonly awaits?: { readonly digest: string; readonly untilMs: number };
}

const phases: Readonly<Record<string, string>> = {
  Waiting: 'waits',
  AwaitingApproval: 'waits for an approval',
  Running: 'is being done',
  Succeeded: 'is done, and helped',
  Failed: 'did not help',
  Refused: 'was not done',
  Rejected: 'was refused by a person',
};
const stepStates: Readonly<Record<string, string>> = {
  Pending: 'not yet',
  Running: 'is being done',
  Checking: 'done, is being checked',
  Done: 'done',
  Failed: 'failed',
  Undone: 'taken back',
  NotUndone: 'could not be taken back',
};

/** What it saw, what it decided, why that was allowed, what it did and how it checked. */
export function remediationWords(
  { spec, status = {} }: Remediation,
  about: {
    readonly policy: OpsPolicy | undefined;
    /** A time of the API, as people read it. */
    readonly time: (iso: string) => string;
  },
): RemediationWords {
  const { policy, time } = about;
  const { phase = 'Waiting', outcome, evidence = [], decisions = [], approvals = [] } = status;
  const { plan = [], steps = [], error, escalated, digest } = status;
  const waitsAt = awaitedSince(status);
  const held = decisions.filter(({ allowed }) => !allowed);
  const stands = waitsAt === undefined ? (phases[phase] ?? phase) : 'waits for an approval';
  return {
    title: `${spec.playbook} on ${spec.target.kind} ${spec.target.name}`,
    stands,
    parts: [
      {
        title: 'What it saw',
        lines: [
          ...evidence.map(({ source, says, since }) => `${source}: ${says}, since ${time(since)}`),
          ...(spec.requestedBy === undefined ? [] : [`${spec.requestedBy} asked for it`]),
          `because ${spec.reason}`,
        ],
      },
      {
        title: 'What it decided',
        lines: plan.map(
          ({ text, undo }, at) =>
            `${at + 1}. ${text}${undo === undefined ? ', which cannot be taken back' : ''}`,
        ),
      },
      {
        title: held.length === 0 ? 'Why that is allowed' : 'Why that is held back',
        lines:
          decisions.length === 0
            ? []
            : [
                held.length === 0
                  ? `${decisions.length} guard rails let it pass`
                  : `${held.length} of ${decisions.length} guard rails do not let it pass`,
                ...held.map(({ guard, says }) => `${guard}: ${says}`),
                ...approvals.map(({ user, decision, at, reason }) => {
                  const why = reason === undefined ? '' : `: ${reason}`;
                  return `${user} ${decision === 'Approved' ? 'approved' : 'refused'} it at ${time(at)}${why}`;
                }),
              ],
        details: decisions
          .filter(({ allowed }) => allowed)
          .map(({ guard, says }) => `${guard}: ${says}`),
      },
      {
        title: 'What it did',
        lines: steps.flatMap(({ state, finishedAt }, at) => {
          if (state === 'Pending') return [];
          const when = finishedAt === undefined ? '' : ` at ${time(finishedAt)}`;
          return [`${at + 1}. ${plan[at]?.text ?? ''}: ${stepStates[state] ?? state}${when}`];
        }),
      },
      {
        title: 'How it checked',
        lines: [
          ...steps.flatMap(({ says }, at) => (says === undefined ? [] : [`${at + 1}. ${says}`])),
          ...(outcome === undefined || waitsAt !== undefined ? [] : [`at the end: ${outcome}`]),
          ...(error === undefined ? [] : [`failed: ${error.message}`]),
          ...(escalated === undefined ? [] : [`next: ${escalated}`]),
        ],
      },
    ].flatMap(({ title, lines, details = [] }): readonly WordsPart[] =>
      lines.length === 0 ? [] : [{ title, lines, details }],
    ),
    ...(waitsAt !== undefined &&
      digest !== undefined && {
        awaits: { digest, untilMs: waitsAt + (policy?.spec.approvalSeconds ?? 3600) * 1000 },
      }),
  };
}
