import { defined } from '@tapline/base';

/** Every field of T, those that may be absent as undefined. */
type Whole<T> = { [K in keyof Required<T>]: T[K] | undefined };

/**
 * A T from all of its fields: one that is added to a kind and not to its message does not compile here.
 * What is required is for whoever reads the kind to check.
 */
export function whole<T extends object>(fields: Whole<T>): T {
  return defined(fields) as unknown as T;
}
