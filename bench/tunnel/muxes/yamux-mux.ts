import type { TLSSocket } from 'node:tls';
import { yamux } from '@chainsafe/libp2p-yamux';
import { defaultLogger } from '@libp2p/logger';
import type { BenchMux, BenchStream, StreamUse } from '../bench-mux.ts';

type Muxer = ReturnType<ReturnType<ReturnType<typeof yamux>>['createStreamMuxer']>;
type MuxedStream = Awaited<ReturnType<Muxer['newStream']>>;

const uses: readonly StreamUse[] = ['echo', 'bulk', 'sink'];

/** `@chainsafe/libp2p-yamux`, with its defaults: windows that grow to 16 MiB. */
export const yamuxMux: BenchMux = {
  name: 'yamux',
  serve(socket, accept) {
    drive(socket, 'inbound', (muxed) => {
      const stream = yamuxStream(muxed);
      let use: StreamUse | undefined;
      // A stream's first byte says what for.
      stream.onFirst((first) => {
        use = uses[first[0] ?? 0];
        if (use !== undefined) accept(use, stream);
        return first.subarray(1);
      });
    });
  },
  async connect(socket) {
    const muxer = drive(socket, 'outbound', () => undefined);
    return {
      async open(use) {
        const stream = yamuxStream(await muxer.newStream());
        stream.write(Uint8Array.of(uses.indexOf(use)));
        return stream;
      },
    };
  },
};

async function* chunksOf(socket: TLSSocket): AsyncGenerator<Uint8Array> {
  for await (const chunk of socket as AsyncIterable<Uint8Array>) yield chunk;
}

function drive(
  socket: TLSSocket,
  direction: 'inbound' | 'outbound',
  onIncomingStream: (stream: MuxedStream) => void,
): Muxer {
  const factory = yamux()({ logger: defaultLogger() });
  const muxer = factory.createStreamMuxer({ direction, onIncomingStream });
  void carryIn().catch(() => socket.destroy());
  void (async () => {
    for await (const chunk of muxer.source) {
      const bytes = chunk instanceof Uint8Array ? chunk : chunk.subarray();
      if (!socket.write(bytes)) await new Promise((resolve) => socket.once('drain', resolve));
    }
  })().catch(() => socket.destroy());
  return muxer;

  async function carryIn(): Promise<void> {
    await muxer.sink(chunksOf(socket));
  }
}

interface FirstAwareStream extends BenchStream {
  onFirst(take: (first: Uint8Array) => Uint8Array): void;
}

/** Its streams are a source and a sink, both iterables; ours are written to and listened to. */
function yamuxStream(muxed: MuxedStream): FirstAwareStream {
  const waiting: Uint8Array[] = [];
  let wake = nobodyWaits;
  let taken = nobodyWaits;
  let take: ((bytes: Uint8Array) => void) | undefined;
  let first: ((bytes: Uint8Array) => Uint8Array) | undefined;
  const early: Uint8Array[] = [];
  void muxed.sink(written()).catch(() => undefined);
  void read().catch(() => undefined);

  async function* written(): AsyncGenerator<Uint8Array> {
    for (;;) {
      const next = waiting.shift();
      if (next === undefined) {
        await new Promise<void>((resolve) => (wake = resolve));
        continue;
      }
      yield next;
      if (waiting.length === 0) taken();
    }
  }

  async function read(): Promise<void> {
    for await (const chunk of muxed.source) {
      let bytes = chunk.subarray();
      if (first !== undefined) {
        bytes = first(bytes);
        first = undefined;
      }
      if (take === undefined) early.push(bytes);
      else if (bytes.length > 0) take(bytes);
    }
  }

  return {
    write(bytes) {
      waiting.push(bytes);
      wake();
      return waiting.length < 4;
    },
    writable: () =>
      waiting.length === 0 ? Promise.resolve() : new Promise((resolve) => (taken = resolve)),
    onData(given) {
      take = given;
      for (const bytes of early.splice(0)) given(bytes);
    },
    onFirst: (given) => (first = given),
  };
}

function nobodyWaits(): void {}
