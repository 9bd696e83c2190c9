import type { AnyObject } from '../any-object.ts';
import type { Caller } from '../operations.ts';
import type { ServedKind } from '../served-kind.ts';
import type { StoredObject } from '../stored-object.ts';

/** A write that is about to happen, its object complete. */
export interface AdmissionRequest {
  readonly kind: ServedKind;
  readonly caller: Caller;
  readonly before: AnyObject | undefined;
  readonly after: AnyObject;
  readonly engine: {
    find(kind: ServedKind, namespace: string | undefined, name: string): StoredObject | undefined;
  };
}

/** Throws where the write must not happen, for more than its schema says. */
export type Admission = (request: AdmissionRequest) => void;
