import type { RemediationApproval, RemediationStatus } from '@tapline/resources';

export type ApprovalState =
  | { readonly kind: 'approved'; readonly approval: RemediationApproval }
  | { readonly kind: 'rejected'; readonly approval: RemediationApproval }
  | { readonly kind: 'none'; readonly why: string };

/**
 * Whether a person has approved just this. What was approved under another digest, by who asked for
 * it, before it was asked, or too long ago does not count.
 */
export function approvalState(
  status: RemediationStatus,
  about: {
    readonly digest: string;
    readonly requestedBy: string | undefined;
    readonly sinceMs: number;
    readonly approvalSeconds: number;
    readonly nowMs: number;
  },
): ApprovalState {
  const { approvals = [] } = status;
  const current = approvals.filter(
    ({ digest, at }) =>
      digest === about.digest &&
      Date.parse(at) >= about.sinceMs &&
      about.nowMs - Date.parse(at) < about.approvalSeconds * 1000,
  );
  const rejection = current.find(({ decision }) => decision === 'Rejected');
  if (rejection !== undefined) return { kind: 'rejected', approval: rejection };
  const approval = current.find(({ user }) => user !== about.requestedBy);
  if (approval !== undefined) return { kind: 'approved', approval };
  if (approvals.length === 0) return { kind: 'none', why: 'nobody has approved it yet' };
  return current.length > 0
    ? { kind: 'none', why: 'who asked for it cannot approve it' }
    : { kind: 'none', why: 'what was approved is not what would be done now' };
}
