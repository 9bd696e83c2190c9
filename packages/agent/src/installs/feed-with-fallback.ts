import { isTaplineError, type Log } from '@tapline/base';
import type { InstallFeed } from './install-feed.ts';

/**
 * By calls, until the gateway turns out not to know them, as an older one: from then on by requests to the API,
 * which every version has. That is found out once, and said once. The positions of both are the API's, so that
 * what was heard by one goes on by the other.
 */
export function feedWithFallback(init: {
  readonly calls: InstallFeed;
  readonly api: InstallFeed;
  readonly log: Log;
}): InstallFeed {
  const { calls, api, log } = init;
  let feed = calls;

  /** Takes the API where that is what is left; throws the error anew where it says something else. */
  function fallBack(error: unknown): void {
    if (!isUnknownCall(error)) throw error;
    if (feed === api) return;
    feed = api;
    log.warn('the gateway does not serve calls of Installs: they are watched by the API instead', {
      directives: 'watch',
      error: error.message,
    });
  }

  async function ask<T>(question: (of: InstallFeed) => Promise<T>): Promise<T> {
    if (feed === api) return await question(api);
    try {
      return await question(calls);
    } catch (error) {
      fallBack(error);
      return await question(api);
    }
  }

  return {
    list: (definition, options) => ask((of) => of.list(definition, options)),
    async *watch(definition, options) {
      if (feed === calls) {
        try {
          return yield* calls.watch(definition, options);
        } catch (error) {
          fallBack(error);
        }
      }
      yield* api.watch(definition, options);
    },
    report: (install, status, options) => ask((of) => of.report(install, status, options)),
  };
}

/** It does not know this call, or no calls at all. */
function isUnknownCall(error: unknown): error is Error {
  return isTaplineError(error, 'call_unknown') || isTaplineError(error, 'tunnel_refused');
}
