import { isTaplineError } from '@tapline/base';

/** An error as a message of a worker carries it. */
export interface GuestFailure {
  readonly code: string;
  readonly message: string;
  readonly hint: string | undefined;
}

export function failureOf(error: unknown): GuestFailure {
  if (isTaplineError(error)) {
    const { code, message, hint } = error;
    return { code, message, hint };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'internal', message, hint: undefined };
}
