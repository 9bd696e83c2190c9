import type { GuestRun } from '../machine/messages.ts';

/** What the server says that its page runs, in `run.json` beside it. Addresses are from the page. */
export interface ShellSettings {
  readonly title: string;
  readonly source: GuestRun['source'];
  readonly argv: readonly string[];
  readonly folder: string;
  /** Bytes that all processes may use together. */
  readonly memory: number;
  readonly code: NonNullable<GuestRun['code']>;
}
