import { isRecord, TaplineError } from '@tapline/base';

const codes: Readonly<Record<string, string>> = {
  BadRequest: 'bad_request',
  Unauthorized: 'unauthorized',
  Forbidden: 'forbidden',
  NotFound: 'not_found',
  MethodNotAllowed: 'method_not_allowed',
  NotAcceptable: 'not_acceptable',
  AlreadyExists: 'already_exists',
  Conflict: 'conflict',
  Gone: 'expired',
  Expired: 'expired',
  RequestEntityTooLarge: 'too_large',
  UnsupportedMediaType: 'unsupported_media_type',
  Invalid: 'invalid',
  TooManyRequests: 'too_many_requests',
  InternalError: 'internal',
  ServiceUnavailable: 'unavailable',
  Timeout: 'timeout',
  ServerTimeout: 'timeout',
};

const byHttpStatus: Readonly<Record<number, string>> = {
  400: 'bad_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
  410: 'expired',
  429: 'too_many_requests',
};

/** A cause whose reason begins with this carries a code that Kubernetes has no reason for. */
const codePrefix = 'tapline.dev/';

/** The error that an answer with this HTTP status and body says; the body may be anything. */
export function statusError(httpStatus: number, body: unknown): TaplineError {
  const fallback =
    byHttpStatus[httpStatus] ?? (httpStatus >= 500 ? 'unavailable' : 'unexpected_answer');
  if (!isRecord(body) || typeof body['message'] !== 'string') {
    return new TaplineError(fallback, `the API answered ${httpStatus}`);
  }
  const { message, reason } = body;
  const details = isRecord(body['details']) ? body['details'] : {};
  const causes = Array.isArray(details['causes']) ? details['causes'] : [];
  const own = causes
    .map((cause: unknown) => (isRecord(cause) ? cause['reason'] : undefined))
    .find((text) => typeof text === 'string' && text.startsWith(codePrefix));
  const known = typeof reason === 'string' ? codes[reason] : undefined;
  const code = typeof own === 'string' ? own.slice(codePrefix.length) : (known ?? fallback);
  return new TaplineError(code, message, { details });
}
