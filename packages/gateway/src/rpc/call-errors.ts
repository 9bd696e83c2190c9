import { errorMessage, isTaplineError, TaplineError } from '@tapline/base';
import { Code, ConnectError, type Interceptor, type Transport } from '@connectrpc/connect';

/** Metadata with the stable code of an error; gRPC's own are few and general. */
const codeKey = 'tapline-code';

/** Has whoever serves a call tell errors with their stable codes. */
export const tellErrors: Interceptor = (next) => async (request) => {
  try {
    const response = await next(request);
    if (!response.stream) return response;
    return { ...response, message: mappedItems(response.message, told) };
  } catch (error) {
    throw told(error);
  }
};

/** Has whoever called get them: `stream_refused` with the peer's code in its details. */
export function hearErrors(transport: Transport): Transport {
  return {
    async unary(...call) {
      try {
        return await transport.unary(...call);
      } catch (error) {
        throw heard(error);
      }
    },
    async stream(...call) {
      try {
        const response = await transport.stream(...call);
        return { ...response, message: mappedItems(response.message, heard) };
      } catch (error) {
        throw heard(error);
      }
    },
  };
}

async function* mappedItems<T>(
  items: AsyncIterable<T>,
  map: (error: unknown) => Error,
): AsyncGenerator<T, void> {
  try {
    yield* items;
  } catch (error) {
    throw map(error);
  }
}

function told(error: unknown): Error {
  if (error instanceof ConnectError) return error;
  const code = isTaplineError(error) ? error.code : 'internal_error';
  const status = isTaplineError(error) ? Code.FailedPrecondition : Code.Internal;
  const message = errorMessage(error).slice(0, 1024);
  return new ConnectError(message, status, { [codeKey]: code }, undefined, error);
}

function heard(error: unknown): Error {
  const from = ConnectError.from(error);
  const code = from.metadata.get(codeKey);
  if (code !== null) {
    return new TaplineError('stream_refused', from.rawMessage, { cause: error, details: { code } });
  }
  // The tunnel's own errors say why there is no answer.
  if (isTaplineError(from.cause)) return from.cause;
  const options = { cause: error };
  switch (from.code) {
    case Code.Canceled:
      return new TaplineError('call_cancelled', from.rawMessage, options);
    case Code.DeadlineExceeded:
      return new TaplineError('call_deadline_exceeded', from.rawMessage, options);
    case Code.Unimplemented:
      return new TaplineError('call_unknown', from.rawMessage, options);
    default:
      return new TaplineError('call_failed', from.rawMessage, options);
  }
}
