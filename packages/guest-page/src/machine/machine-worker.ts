import { createSecureRng } from '@tapline/base';
import { openProgramCode } from '../code/open-program-code.ts';
import type { FromMachine, ToMachine } from './messages.ts';
import { openGuestFiles } from './open-guest-files.ts';
import { createPageClock } from './page-clock.ts';
import { serveMachine } from './serve-machine.ts';

/** The worker that a page starts for each guest. */
interface WorkerScope {
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  postMessage(message: FromMachine): void;
}

const scope = globalThis as unknown as WorkerScope;
const take = serveMachine({
  send: (message) => scope.postMessage(message),
  openFiles: openGuestFiles,
  openCode: openProgramCode,
  clock: createPageClock(),
  rng: createSecureRng(),
});
// Who can send messages to a worker is the page that started it.
scope.addEventListener('message', ({ data }) => take(data as ToMachine));
