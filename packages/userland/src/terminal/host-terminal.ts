import type { HostInput, HostOutput } from '../files/host-stream.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { WindowSize } from './terminal.ts';

/** A terminal outside: it shows what it is given, and says what was typed as it was. */
export interface HostTerminal {
  readonly size: WindowSize;
  /** Keys, raw. Its end is the terminal's. */
  readonly input: HostInput;
  readonly output: HostOutput;
  /** Calls back when the window has another size; answers how not to be called any more. */
  readonly onResize?: (listener: (size: WindowSize) => void) => () => void;
}

const atOnce = 65_536;

/** Connects the console; what it answers shows the rest and lets go. */
export function connectConsole(kernel: Kernel, host: HostTerminal): () => Promise<void> {
  const { console } = kernel.terminals;
  console.resize(host.size);
  const forget = host.onResize?.((size) => console.resize(size));
  const keys = host.input[Symbol.asyncIterator]();
  let ended = false;
  const listen = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await keys.next();
      if (ended) return;
      if (done === true) break;
      console.type(value);
    }
    console.hangUp();
  };
  // A terminal that breaks is one that has gone.
  listen().catch(() => console.hangUp());
  let showing = Promise.resolve();
  let busy = false;
  const show = async (): Promise<void> => {
    while (console.screen.size > 0) await host.output(console.takeScreen(atOnce));
  };
  const changed = (): void => {
    if (busy) return;
    busy = true;
    showing = show()
      .catch(() => console.hangUp())
      .finally(() => {
        busy = false;
        // What came while it was shown was not told again.
        if (console.screen.size > 0 && !console.hungUp) changed();
      });
  };
  console.screenChanged.add(changed);
  changed();
  return async () => {
    ended = true;
    console.screenChanged.remove(changed);
    forget?.();
    await showing;
    await show();
  };
}
