import type { OpsTarget } from '@tapline/resources';

/** An object that an operation is about. */
export interface ObjectRef {
  readonly kind: OpsTarget['kind'] | 'Allocation';
  readonly name: string;
}

/** One field: labels of metadata, or of the spec; undefined is that it is absent. */
export interface FieldChange {
  readonly path: readonly string[];
  readonly value: FieldValue;
  /** What it was when the plan was made. */
  readonly was: FieldValue;
}

export type FieldValue = string | number | boolean | null;

/**
 * What is carried out, as data. Values are absolute, so doing one twice is doing it once; an object is
 * named with its uid, so another by the same name is never meant.
 */
export type Operation =
  | { readonly kind: 'none'; readonly why: string }
  | {
      readonly kind: 'change';
      readonly object: ObjectRef;
      readonly uid: string;
      readonly fields: readonly FieldChange[];
    }
  | {
      readonly kind: 'create';
      readonly object: ObjectRef;
      readonly spec: Readonly<Record<string, unknown>>;
    }
  | { readonly kind: 'delete'; readonly object: ObjectRef; readonly uid: string }
  | {
      readonly kind: 'end-lease';
      readonly allocation: string;
      readonly segmentUid: string;
      /** Only the lease of this VNI: the one after it is not meant. */
      readonly vni: number;
      readonly quarantineSeconds: number;
    }
  | { readonly kind: 'execute'; readonly install: string; readonly command: readonly string[] }
  | { readonly kind: 'notify'; readonly message: string }
  | { readonly kind: 'approval' };
