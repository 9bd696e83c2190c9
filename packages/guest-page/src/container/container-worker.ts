import { createSecureRng } from '@tapline/base';
import { createPageClock } from '../machine/page-clock.ts';
import type { FromContainer, ToContainer } from './container-messages.ts';
import { serveContainer } from './serve-container.ts';

/** The worker that a page starts for each container. */
interface WorkerScope {
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  postMessage(message: FromContainer): void;
}

const scope = globalThis as unknown as WorkerScope;
const take = serveContainer({
  send: (message) => scope.postMessage(message),
  clock: createPageClock(),
  rng: createSecureRng(),
});
// Who can send messages to a worker is the page that started it.
scope.addEventListener('message', ({ data }) => take(data as ToContainer));
