import { TaplineError } from '@tapline/base';
import type { Runtime } from '@tapline/runtimes';

/** For a page that runs no programs: packages are kept ready, and what is to run says why it does not. */
export function noRuntime(): Runtime {
  return {
    name: 'none',
    prepare: refuse,
    start: refuse,
    run: refuse,
    exec: refuse,
    wait: refuse,
    stop: () => Promise.resolve(),
    remove: () => Promise.resolve(),
    list: () => Promise.resolve([]),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function refuse(): Promise<never> {
  return Promise.reject(
    new TaplineError('runtime_unavailable', 'this page runs no programs', {
      hint: 'deliver to a device that has a runtime',
    }),
  );
}
