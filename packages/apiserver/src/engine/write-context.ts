import type { Caller, WriteOptions } from '../operations.ts';
import type { StoredObject } from '../stored-object.ts';
import type { FieldValidation } from '../validate-body.ts';

/** Everything about a write beside the object. */
export interface WriteContext {
  readonly caller: Caller;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  readonly subresource: WriteOptions['subresource'];
  /** Under which name field ownership is recorded. */
  readonly manager: string;
  readonly dryRun: boolean;
  readonly fieldValidation: FieldValidation;
  readonly warn: ((message: string) => void) | undefined;
}

/** What a write did. */
export interface WriteOutcome {
  readonly stored: StoredObject;
  /** Revision before; absent where it was created. */
  readonly before?: number;
  /** Dotted paths of the fields that changed. */
  readonly changed: readonly string[];
  readonly kind: 'created' | 'updated' | 'unchanged' | 'deleted';
}
