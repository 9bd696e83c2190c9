import type { ExtendType, Register } from './integer-instruction.ts';

/** `offset` leaves the base as it is; `pre` and `post` add to it, before or after the access. */
export type Indexing = 'offset' | 'pre' | 'post';

/** One register moved from or to memory. */
export interface Transfer {
  readonly op: string;
  readonly load: boolean;
  /** The register is one of V0–V31; else 0–30 for X or 32 for the zero register. */
  readonly vector: boolean;
  /** Logarithm of the bytes. */
  readonly size: number;
  /** A load extends the sign, to 64 bits where `wide` says so, else to 32. */
  readonly signed: boolean;
  readonly wide: boolean;
}

interface Ordered {
  readonly op: string;
  readonly size: number;
  readonly rs: Register;
  readonly rt: Register;
  readonly rn: Register;
}

export type MemoryInstruction =
  | (Transfer & {
      readonly kind: 'load-store-immediate';
      readonly rt: Register;
      readonly rn: Register;
      readonly offset: number;
      readonly indexing: Indexing;
    })
  | (Transfer & {
      readonly kind: 'load-store-register';
      readonly rt: Register;
      readonly rn: Register;
      readonly rm: Register;
      readonly extend: ExtendType;
      readonly amount: number;
    })
  | (Transfer & { readonly kind: 'load-literal'; readonly rt: Register; readonly offset: number })
  | (Transfer & {
      readonly kind: 'load-store-pair';
      readonly rt: Register;
      readonly rt2: Register;
      readonly rn: Register;
      readonly offset: number;
      readonly indexing: Indexing;
    })
  | (Ordered & {
      readonly kind: 'load-store-exclusive';
      readonly load: boolean;
      readonly pair: boolean;
      readonly rt2: Register;
    })
  | {
      readonly kind: 'load-store-ordered';
      readonly op: string;
      readonly load: boolean;
      readonly size: number;
      readonly rt: Register;
      readonly rn: Register;
    }
  | (Ordered & { readonly kind: 'compare-and-swap'; readonly pair: boolean })
  | (Ordered & {
      readonly kind: 'atomic';
      readonly operation: AtomicOperation;
    })
  | {
      readonly kind: 'load-store-structures';
      readonly op: string;
      readonly load: boolean;
      readonly q: boolean;
      /** Logarithm of an element's bytes. */
      readonly size: number;
      /** Registers, and elements of a structure: LD1 of three registers has 3 and 1. */
      readonly registers: number;
      readonly elements: number;
      readonly rt: number;
      readonly rn: Register;
      readonly postIndex: PostIndex | undefined;
    }
  | {
      readonly kind: 'load-store-lane';
      readonly op: string;
      readonly load: boolean;
      readonly q: boolean;
      readonly size: number;
      readonly elements: number;
      /** Undefined for what fills all lanes, LD1R to LD4R. */
      readonly index: number | undefined;
      readonly rt: number;
      readonly rn: Register;
      readonly postIndex: PostIndex | undefined;
    };

/** What is added to the base: a register, or as many bytes as were moved. */
export interface PostIndex {
  readonly rm: Register | undefined;
}

export type AtomicOperation =
  | 'add'
  | 'clr'
  | 'eor'
  | 'set'
  | 'smax'
  | 'smin'
  | 'umax'
  | 'umin'
  | 'swp';
