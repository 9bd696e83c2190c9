import { isTaplineError, TaplineError } from '@tapline/base';

/** How the gateway's own endpoints answer an error. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  /** When to come again. */
  readonly retryAfterMs?: number;
}

const statuses: Readonly<Record<string, number>> = {
  enrolment_invalid: 400,
  proof_invalid: 400,
  device_name_invalid: 400,
  token_malformed: 400,
  ca_mismatch: 400,
  body_too_large: 413,
  token_unknown: 401,
  token_expired: 401,
  token_used: 401,
  unauthorized: 401,
  challenge_invalid: 401,
  challenge_expired: 401,
  challenge_used: 401,
  device_key_replaced: 403,
  device_revoked: 403,
  labels_refused: 403,
  device_unknown: 403,
  not_found: 404,
  method_not_allowed: 405,
  device_name_taken: 409,
  too_many_requests: 429,
  gateway_busy: 503,
  device_offline: 503,
  stream_refused: 502,
  stream_timeout: 504,
};

/** What to answer for `error`. Faults of our own are logged by the caller, never told. */
export function errorAnswer(error: unknown): {
  readonly status: number;
  readonly body: ErrorBody;
} {
  const status = isTaplineError(error) ? statuses[error.code] : undefined;
  if (!isTaplineError(error) || status === undefined) {
    return { status: 500, body: { code: 'internal_error', message: 'the request failed' } };
  }
  const { code, message, hint, details } = error;
  const { retryAfterMs } = details;
  return {
    status,
    body: {
      code,
      message,
      ...(hint === undefined ? {} : { hint }),
      ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
    },
  };
}

/** The error that an endpoint answered with. */
export function errorOfAnswer(status: number, text: string): TaplineError {
  try {
    const body = JSON.parse(text) as Partial<ErrorBody> | null;
    if (typeof body?.code === 'string' && typeof body.message === 'string') {
      const { hint, retryAfterMs } = body;
      const options = {
        ...(typeof hint === 'string' ? { hint } : {}),
        ...(typeof retryAfterMs === 'number' ? { details: { retryAfterMs } } : {}),
      };
      return new TaplineError(body.code, body.message, options);
    }
  } catch (cause) {
    return new TaplineError('gateway_error', `the gateway answered ${status}`, { cause });
  }
  return new TaplineError('gateway_error', `the gateway answered ${status}`);
}
