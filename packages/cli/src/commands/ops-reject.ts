import type { Command } from '../framework/command.ts';
import { approvalCommand } from '../ops/approval-command.ts';

export const opsReject: Command = approvalCommand({
  decision: 'Rejected',
  summary: 'Have OpsBot leave something, and tell it why',
  example: {
    command: 'tapline ops reject full-disk.4f1c0a9b2d 9a6d31f0c2b7 --reason "looked at it"',
    explains: 'it is not done, and not asked again for this fault',
  },
});
