import type { Command } from '../framework/command.ts';
import { approvalCommand } from '../ops/approval-command.ts';

export const opsApprove: Command = approvalCommand({
  decision: 'Approved',
  summary: 'Let OpsBot do just what tapline ops show has shown',
  example: {
    command: 'tapline ops approve full-disk.4f1c0a9b2d 9a6d31f0c2b7 --reason "looked at it"',
    explains: 'after a look at its plan',
  },
});
