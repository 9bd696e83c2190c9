import type { ConnectHandler } from '@tapline/apiserver';
import { TaplineError } from '@tapline/base';

/** A handler whose parts are there only once the API is that it is part of. */
export function lateHandler(make: () => ConnectHandler | undefined): ConnectHandler {
  const now = (): ConnectHandler => {
    const handler = make();
    if (handler === undefined) throw new TaplineError('unavailable', 'OpsBot is starting');
    return handler;
  };
  return {
    verb: 'create',
    detail: (query) => now().detail?.(query),
    handle: async (connect, response) => await now().handle?.(connect, response),
  };
}
