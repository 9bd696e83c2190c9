import type { WindowSize } from '@tapline/userland';
import type { CodeSource } from '../code/open-program-code.ts';

/** Where a guest's files come from. */
export type GuestSource =
  /** `registry` ends with a slash; OCI distribution's `v2/` is below it. */
  | {
      readonly kind: 'image';
      readonly registry: string;
      readonly repository: string;
      /** A tag or a digest. */
      readonly reference: string;
    }
  /** A folder that is served node by node; `url` ends with a slash. */
  | { readonly kind: 'folder'; readonly url: string };

export interface GuestLimits {
  /** Bytes that all processes may use together. */
  readonly memory: number;
  /** WebAssembly memories at once. */
  readonly machines: number;
  /** Instructions, calls and turns of loops after which all is given up; may be Infinity. */
  readonly fuel: number;
  /** Arrivals at a place after which it is translated; 0 for interpreting everything. */
  readonly hotAfter: number;
}

/** What a machine is to run. */
export interface GuestRun {
  readonly source: GuestSource;
  /** Program and arguments; the image's where it is empty. */
  readonly argv: readonly string[];
  readonly env: readonly string[];
  /** The image's where it is empty. */
  readonly folder: string;
  /** Its terminal; without one it has three pipes. */
  readonly terminal?: WindowSize;
  readonly limits: GuestLimits;
  /** Where translated code is kept for the next visit; nowhere without one. */
  readonly code?: CodeSource;
}

/** From the page to the worker. */
export type ToMachine =
  | ({ readonly kind: 'start' } & GuestRun)
  | { readonly kind: 'input'; readonly bytes: Uint8Array }
  | { readonly kind: 'end-input' }
  | { readonly kind: 'resize'; readonly size: WindowSize }
  /** Output was shown; the next may come. */
  | { readonly kind: 'taken'; readonly stream: GuestStream }
  | { readonly kind: 'ping' };

export type GuestStream = 'terminal' | 'stdout' | 'stderr';

export interface GuestEnd {
  readonly exitCode: number;
  readonly refused: { readonly memory: number; readonly storage: number };
  readonly unknownSystemCalls: readonly number[];
}

/** From the worker to the page. */
export type FromMachine =
  | { readonly kind: 'output'; readonly stream: GuestStream; readonly bytes: Uint8Array }
  | { readonly kind: 'fetched'; readonly bytes: number; readonly of: number }
  | ({ readonly kind: 'ended' } & GuestEnd)
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly message: string;
      readonly hint: string | undefined;
    }
  | { readonly kind: 'pong' };
