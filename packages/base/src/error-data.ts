import { errorMessage } from './error-message.ts';
import { isTaplineError, TaplineError } from './tapline-error.ts';

/** A {@link TaplineError} as plain data: cloning an error keeps neither its class nor its code. */
export interface ErrorData {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  readonly cause: string | undefined;
}

/** For another thread; what has no code of its own gets `code`. */
export function toErrorData(error: unknown, code: string): ErrorData {
  if (!isTaplineError(error)) {
    return { code, message: errorMessage(error), hint: undefined, details: {}, cause: undefined };
  }
  const { message, hint, details, cause } = error;
  const causeText = cause === undefined ? undefined : errorMessage(cause);
  return { code: error.code, message, hint, details, cause: causeText };
}

export function fromErrorData(data: ErrorData): TaplineError {
  const { code, message, hint, details, cause } = data;
  return new TaplineError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    details,
    ...(cause === undefined ? {} : { cause: new Error(cause) }),
  });
}
