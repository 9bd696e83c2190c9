import type { Remediation } from '@tapline/resources';
import { approvalText } from './approval-text.ts';

/** Block Kit, as far as it is used here. */
export interface SlackMessage {
  readonly text: string;
  readonly blocks: readonly object[];
  readonly replace_original?: true;
}

/** Slack takes 3,000 characters in a section. */
const maxSection = 2900;

/**
 * A message with a button for yes and one for no. Each carries the whole digest of what is shown beside
 * it, so what is clicked at is just that, however much changes meanwhile.
 */
export function slackMessage(remediation: Remediation): SlackMessage {
  const { metadata, spec, status } = remediation;
  const value = JSON.stringify({ name: metadata.name, digest: status?.digest ?? '' });
  const button = (decision: 'Approved' | 'Rejected', label: string, style: string): object => ({
    type: 'button',
    action_id: `tapline.${decision}`,
    text: { type: 'plain_text', text: label },
    style,
    value,
  });
  return {
    text: `${spec.playbook} waits for an approval`,
    blocks: [
      section(approvalText(remediation)),
      {
        type: 'actions',
        elements: [
          button('Approved', 'Approve', 'primary'),
          button('Rejected', 'Reject', 'danger'),
        ],
      },
    ],
  };
}

/** In place of the buttons once that is decided, or is no more. */
export function slackAnswer(text: string): SlackMessage {
  return { text, blocks: [section(text)], replace_original: true };
}

/** No markup of what devices say: names of channels and people would be called. */
function section(text: string): object {
  return { type: 'section', text: { type: 'plain_text', text: text.slice(0, maxSection) } };
}
