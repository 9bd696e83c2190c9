import type { WindowSize } from '@tapline/userland';
import type { GuestFailure } from '../machine/failure-of.ts';
import type { GuestStream } from '../machine/messages.ts';

/** A layer of a container's image as it travels; its digest was verified. */
export interface ContainerLayer {
  readonly mediaType: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A container's machine: its files, which all its programs share, and what they may take. */
export interface ContainerMachine {
  /** Base first. */
  readonly layers: readonly ContainerLayer[];
  readonly hostName: string;
  /** Bytes that all processes may use together. */
  readonly memory: number;
  /** Bytes that may be written to files. */
  readonly storage: number;
  readonly threads: number;
  /** WebAssembly memories at once. */
  readonly machines: number;
}

export interface ContainerProgram {
  /** The program is looked up in the PATH of `env` unless it has a slash. */
  readonly argv: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  readonly folder: string;
  readonly user: { readonly uid: number; readonly gid: number };
  /** Of the first program only; without one it has three pipes. */
  readonly terminal?: WindowSize;
}

/** From the page to the worker. Programs have numbers of the page's; the container is its first. */
export type ToContainer =
  | {
      readonly kind: 'open';
      readonly id: number;
      readonly machine: ContainerMachine;
      readonly program: ContainerProgram;
    }
  | { readonly kind: 'start'; readonly id: number; readonly program: ContainerProgram }
  | { readonly kind: 'input'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: 'end-input'; readonly id: number }
  | { readonly kind: 'resize'; readonly id: number; readonly size: WindowSize }
  | { readonly kind: 'signal'; readonly id: number; readonly number: number }
  | { readonly kind: 'kill'; readonly id: number }
  /** Output was shown; the next may come. */
  | { readonly kind: 'taken'; readonly id: number; readonly stream: GuestStream }
  | { readonly kind: 'ping' };

/** From the worker to the page. */
export type FromContainer =
  | { readonly kind: 'started'; readonly id: number }
  | {
      readonly kind: 'output';
      readonly id: number;
      readonly stream: GuestStream;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'ended'; readonly id: number; readonly exitCode: number }
  | ({ readonly kind: 'failed'; readonly id: number } & GuestFailure)
  | { readonly kind: 'pong' };
