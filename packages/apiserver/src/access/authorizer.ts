import type { AnyObject } from '../any-object.ts';
import type { Identity } from '../identity.ts';

/** What someone wants to do. */
export interface Attributes {
  readonly identity: Identity;
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string | undefined;
  readonly name: string | undefined;
  /** The value that a field selector demands of a field, if it does. */
  readonly requiredField: ((path: string) => string | undefined) | undefined;
}

export type Decision =
  | { readonly allowed: true; readonly reason: string }
  | { readonly allowed: false; readonly reason: string };

/** An answer, or undefined where this authorizer has no opinion. */
export type Authorizer = (attributes: Attributes) => Decision | undefined;

/** Reads an object as it is now, for decisions that depend on what it says. */
export type ObjectLookup = (group: string, resource: string, name: string) => AnyObject | undefined;
