import { isRecord } from '@tapline/base';
import { badRequest } from '../api-error.ts';
import type { ServedKind } from '../served-kind.ts';

/** An object as it came, its kind checked and its metadata not yet. */
export interface RawObject {
  readonly metadata: unknown;
  /** Every field beside apiVersion, kind and metadata. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Splits what a request brought. Fails with `bad_request` where it is not of the kind. */
export function rawObject(kind: ServedKind, value: unknown): RawObject {
  if (!isRecord(value)) {
    throw badRequest(
      `the body must be a ${kind.kind}, not ${value === null ? 'null' : typeof value}`,
    );
  }
  const { apiVersion, kind: given, metadata, ...fields } = value;
  if (apiVersion !== undefined && apiVersion !== kind.apiVersion) {
    throw badRequest(
      `the API version in the data (${JSON.stringify(apiVersion)}) does not match the expected API version (${kind.apiVersion})`,
    );
  }
  if (given !== undefined && given !== kind.kind) {
    throw badRequest(
      `the kind in the data (${JSON.stringify(given)}) does not match the expected kind (${kind.kind})`,
    );
  }
  return { metadata, fields };
}
