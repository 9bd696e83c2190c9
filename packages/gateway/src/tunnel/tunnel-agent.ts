import { Agent, type ClientRequestArgs } from 'node:http';
import type { Duplex } from 'node:stream';

/** An agent of Node's HTTP client whose connections are streams of a tunnel. */
export class TunnelAgent extends Agent {
  readonly #open: () => Promise<Duplex>;

  constructor(open: () => Promise<Duplex>, options: { readonly maxSockets?: number } = {}) {
    super({ ...options, keepAlive: true, scheduling: 'lifo' });
    this.#open = open;
  }

  override createConnection(
    _options: ClientRequestArgs,
    done?: (error: Error | null, socket: Duplex) => void,
  ): undefined {
    void this.#connect(done);
    return undefined;
  }

  async #connect(done: ((error: Error | null, socket: Duplex) => void) | undefined): Promise<void> {
    let socket: Duplex;
    try {
      socket = await this.#open();
    } catch (cause) {
      // As a server is not there: whoever speaks HTTP knows that, and tries again.
      const error = new Error('there is no tunnel', { cause });
      // Node declares a socket for failures, too, and looks at none.
      (done as ((error: unknown) => void) | undefined)?.(
        Object.assign(error, { code: 'ECONNREFUSED' }),
      );
      return;
    }
    done?.(null, socket);
  }
}
