import { type Clock, systemClock } from '@tapline/base';

/**
 * The platform's clock, with a sleep of nothing that only lets others have a turn: timers that follow
 * each other wait 4 ms at least in a browser (HTML, timers: nesting level).
 */
export function createPageClock(): Clock {
  const channel = new MessageChannel();
  const waiting: (() => void)[] = [];
  channel.port1.addEventListener('message', () => waiting.shift()?.());
  channel.port1.start();
  return {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic(),
    sleep(ms, options) {
      if (ms > 0 || options?.signal !== undefined) return systemClock.sleep(ms, options);
      return new Promise((resolve) => {
        waiting.push(resolve);
        channel.port2.postMessage(undefined);
      });
    },
  };
}
