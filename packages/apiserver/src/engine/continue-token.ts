import { badRequest } from '../api-error.ts';

/** Where the next page of a list begins: after a key, as of a revision. */
export interface ContinueToken {
  readonly revision: number;
  readonly after: string;
}

export function formatContinueToken({ revision, after }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: 'tapline/v1', rv: revision, start: after })).toString(
    'base64url',
  );
}

/** Fails with `bad_request` on what is not of ours, or begins outside `prefix`. */
export function parseContinueToken(text: string, prefix: string): ContinueToken {
  try {
    const token: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (typeof token === 'object' && token !== null && 'rv' in token && 'start' in token) {
      const { rv, start } = token;
      if (Number.isSafeInteger(rv) && typeof start === 'string' && start.startsWith(prefix)) {
        return { revision: Number(rv), after: start };
      }
    }
  } catch (cause) {
    throw badToken(cause);
  }
  throw badToken();
}

function badToken(_cause?: unknown): Error {
  return badRequest('continue key is not valid');
}
