import { createSecureRng, systemClock } from '@tapline/base';
import type { ContainerWorker } from '../container/open-container.ts';
import { serveContainer } from '../container/serve-container.ts';

/** A worker that is here: messages are copied, and come later, as between threads. */
export function openLocalWorker(): ContainerWorker & { ended: boolean } {
  const listeners = new Set<(event: MessageEvent) => void>();
  const worker = {
    ended: false,
    addEventListener(type: string, listener: (event: never) => void) {
      if (type === 'message') listeners.add(listener as (event: MessageEvent) => void);
    },
    postMessage(message: unknown, transfer: ArrayBuffer[]) {
      const sent: unknown = structuredClone(message, { transfer });
      setImmediate(() => !worker.ended && take(sent as never));
    },
    terminate: () => void (worker.ended = true),
  };
  const take = serveContainer({
    send(message) {
      const sent: unknown = structuredClone(message);
      setImmediate(() => {
        if (worker.ended) return;
        for (const listener of listeners) listener({ data: sent } as MessageEvent);
      });
    },
    clock: systemClock,
    rng: createSecureRng(),
  });
  return worker;
}
