import { TaplineError } from '@tapline/base';

/** What somebody says to OpsBot in a chat. */
export type ChatCommand =
  | {
      readonly kind: 'decide';
      readonly decision: 'Approved' | 'Rejected';
      readonly remediation: string;
      /** Of what was shown, or at least its first twelve digits. */
      readonly digest: string;
      readonly reason: string | undefined;
    }
  | { readonly kind: 'ask'; readonly question: string };

const maxLength = 1000;
const decisions = { approve: 'Approved', reject: 'Rejected' } as const;
const decide = /^(approve|reject)\s+([a-z0-9][a-z0-9.-]{0,252})\s+([0-9a-f]{12,64})(?:\s+(.+))?$/;

/**
 * `approve NAME DIGEST [REASON]`, `reject NAME DIGEST [REASON]`, or a question. Throws `bad_request` for
 * what begins like a decision and is none: that must not become a question.
 */
export function parseChatCommand(text: string): ChatCommand {
  const said = text.slice(0, maxLength).replaceAll(/\s+/g, ' ').trim();
  if (text.length > maxLength) {
    throw new TaplineError('bad_request', `that has more than ${maxLength} characters`);
  }
  const [, verb, remediation = '', digest = '', reason] = decide.exec(said) ?? [];
  if (verb === 'approve' || verb === 'reject') {
    return { kind: 'decide', decision: decisions[verb], remediation, digest, reason };
  }
  if (/^(?:approve|reject)\b/i.test(said)) {
    throw new TaplineError('bad_request', 'it takes the name of a remediation and its digest', {
      hint: 'approve NAME DIGEST, with at least 12 digits of what was shown',
    });
  }
  return { kind: 'ask', question: said.replace(/^ask\s+/i, '') };
}
