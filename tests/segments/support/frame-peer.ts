import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A frame that came in: which, where, first and last time in seconds, how often. */
export interface Receipt {
  /** Of the frame; negative: an ARP reply that speaks for that address. */
  readonly id: number;
  readonly receiver: string;
  readonly first: number;
  readonly last: number;
  readonly count: number;
}

export interface SentFrame {
  readonly from: string;
  readonly frame: Uint8Array;
}

/** Sends and receives in all namespaces from one process, so that a matrix takes a second. */
export interface FramePeer extends AsyncDisposable {
  open(
    endpoints: readonly {
      readonly name: string;
      readonly namespace: string;
      readonly device: string;
    }[],
  ): Promise<void>;
  send(frames: readonly SentFrame[], waitMs: number): Promise<readonly Receipt[]>;
  /** Sends all frames again and again until `stop`. */
  probe(frames: readonly SentFrame[], intervalMs: number): Promise<void>;
  stop(): Promise<readonly Receipt[]>;
}

export function startFramePeer(): FramePeer {
  const program = fileURLToPath(new URL('frame-peer.py', import.meta.url));
  const child = spawn('/usr/bin/python3', [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  async function ask(request: unknown): Promise<readonly Receipt[]> {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the frame peer ended');
    const answer = JSON.parse(value) as {
      received?: readonly [number, string, number, number, number][];
    };
    return (answer.received ?? []).map(([id, receiver, first, last, count]) => ({
      id,
      receiver,
      first,
      last,
      count,
    }));
  }
  return {
    async open(endpoints) {
      await ask({ open: endpoints });
    },
    send: async (frames, waitMs) => await ask({ send: texts(frames), wait: waitMs / 1000 }),
    async probe(frames, intervalMs) {
      await ask({ probe: texts(frames), interval: intervalMs / 1000 });
    },
    stop: async () => await ask({ stop: true }),
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.stdin.end();
      await ended;
    },
  };
}

function texts(frames: readonly SentFrame[]): readonly unknown[] {
  return frames.map(({ from, frame }) => [from, Buffer.from(frame).toString('hex')]);
}
