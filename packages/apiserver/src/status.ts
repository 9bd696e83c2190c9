import { errorMessage, isTaplineError } from '@tapline/base';
import type { Cause } from './api-error.ts';

/** Kubernetes's meta/v1 Status. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Readonly<Record<string, string>>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: {
    readonly name?: string;
    readonly group?: string;
    readonly kind?: string;
    readonly uid?: string;
    readonly causes?: readonly Cause[];
    readonly retryAfterSeconds?: number;
  };
  readonly code: number;
}

const answers: Readonly<Record<string, readonly [number, string]>> = {
  bad_request: [400, 'BadRequest'],
  unauthorized: [401, 'Unauthorized'],
  forbidden: [403, 'Forbidden'],
  not_found: [404, 'NotFound'],
  method_not_allowed: [405, 'MethodNotAllowed'],
  not_acceptable: [406, 'NotAcceptable'],
  already_exists: [409, 'AlreadyExists'],
  conflict: [409, 'Conflict'],
  expired: [410, 'Expired'],
  too_large: [413, 'RequestEntityTooLarge'],
  unsupported_media_type: [415, 'UnsupportedMediaType'],
  invalid: [422, 'Invalid'],
  too_many_requests: [429, 'TooManyRequests'],
  internal: [500, 'InternalError'],
  unavailable: [503, 'ServiceUnavailable'],
  timeout: [504, 'Timeout'],
};

/** Status causes that carry a code which no reason of Kubernetes stands for begin with this. */
export const codeCausePrefix = 'tapline.dev/';

/** How an error is answered. What is not an API error says no more than that something failed. */
export function statusOf(error: unknown): Status {
  if (!isTaplineError(error)) return failure(500, 'InternalError', 'internal error', {});
  const known = answers[error.code];
  const [code, reason] = known ?? [500, 'InternalError'];
  const causes = known === undefined ? [codeCause(error.code, errorMessage(error))] : [];
  return failure(code, reason, error.message, error.details, causes);
}

/** The answer to something that was done and has no object to show. */
export function successStatus(details: NonNullable<Status['details']>): Status {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details, code: 200 };
}

function codeCause(code: string, message: string): Cause {
  return { reason: `${codeCausePrefix}${code}`, message };
}

function failure(
  code: number,
  reason: string,
  message: string,
  details: Readonly<Record<string, unknown>>,
  extraCauses: readonly Cause[] = [],
): Status {
  const causes = [...((details['causes'] as readonly Cause[] | undefined) ?? []), ...extraCauses];
  const shown: Record<string, unknown> = {};
  for (const key of ['name', 'group', 'kind', 'uid', 'retryAfterSeconds'] as const) {
    const value = details[key];
    if (value !== undefined && value !== '') shown[key] = value;
  }
  if (causes.length > 0) shown['causes'] = causes;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(Object.keys(shown).length === 0 ? {} : { details: shown }),
    code,
  };
}
