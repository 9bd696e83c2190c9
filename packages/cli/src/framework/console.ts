import type { Clock } from '@tapline/base';
import type { Readable } from 'node:stream';

/** The world as a command sees it; tests give another one. */
export interface Console {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** Aborts on Ctrl-C and on SIGTERM. */
  readonly signal: AbortSignal;
  /** Standard output is a terminal: colour and progress bars make sense. */
  readonly isTerminal: boolean;
  readonly columns: number;
  /** Results, on standard output. */
  write(text: string | Uint8Array): void;
  /** Progress, warnings and errors, on standard error. */
  note(text: string | Uint8Array): void;
}
