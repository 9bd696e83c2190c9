import type { PlaybookStep } from '@tapline/resources';
import type { Check } from './check.ts';
import type { Operation } from './operation.ts';

/** A step with all that it does worked out: a dry run shows these, an execution does these. */
export interface PlannedStep {
  readonly action: PlaybookStep['action'];
  /** In words. */
  readonly text: string;
  readonly operation: Operation;
  /** What takes it back; absent where nothing does. */
  readonly undo?: Operation;
  /** What has to hold after it. */
  readonly check: Check;
  readonly timeoutSeconds: number;
  /** Ready replicas that it takes away for a while. */
  readonly disturbs?: readonly { readonly workload: string; readonly replicas: number }[];
}
