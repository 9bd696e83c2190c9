/** Where an error lands on the wire and in the shell; each code names one of these. */
export interface TaplineErrorOptions {
  readonly cause?: unknown;
  /** What the reader can do about it: an imperative in lower case, without a full stop. */
  readonly hint?: string;
  /** Values for programs: the offending value, the limit, the digests, … */
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * The one error class. `code` is stable and documented (`docs/reference/errors.md`), `message` says
 * what and why and names the value and the limit, `hint` says what to do.
 */
export class TaplineError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, options: TaplineErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TaplineError';
    this.code = code;
    this.hint = options.hint;
    this.details = options.details ?? {};
  }
}

/** Whether `error` is a {@link TaplineError}, with that code where one is given. */
export function isTaplineError(error: unknown, code?: string): error is TaplineError {
  return error instanceof TaplineError && (code === undefined || error.code === code);
}
