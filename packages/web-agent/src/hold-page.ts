import { TaplineError } from '@tapline/base';

/**
 * Makes sure that one page at a time is the device: two would take each other's place at the gateway for
 * ever. Throws `agent_running`.
 */
export async function holdPage(storage: string): Promise<Disposable> {
  const held = Promise.withResolvers<Disposable>();
  const request = navigator.locks.request(
    `tapline ${storage}`,
    { ifAvailable: true },
    async (lock) => {
      if (lock === null) {
        throw new TaplineError('agent_running', `another page is device ${storage} already`, {
          hint: 'close the other tab',
        });
      }
      const released = Promise.withResolvers<void>();
      held.resolve({ [Symbol.dispose]: released.resolve });
      await released.promise;
    },
  );
  request.catch(held.reject);
  return await held.promise;
}
