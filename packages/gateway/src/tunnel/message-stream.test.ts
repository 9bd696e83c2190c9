import fc from 'fast-check';
import { AsyncQueue } from '@tapline/base';
import type { TunnelStream } from '@tapline/tunnel';
import { describe, expect, test } from 'vitest';
import { createMessageStream } from './message-stream.ts';

/** One end of a stream whose parts the test chooses. */
class FakeStream {
  readonly arriving: AsyncQueue<Uint8Array> = new AsyncQueue();
  readonly written: Uint8Array[] = [];
  readonly #closing = new AbortController();
  ended = false;
  resetBy: number | undefined;

  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  write(bytes: Uint8Array): boolean {
    this.written.push(bytes);
    return true;
  }

  end(): void {
    this.ended = true;
  }

  reset(code: number): void {
    this.resetBy = code;
    this.#closing.abort(new Error('reset'));
    this.arriving.close(new Error('reset'));
  }

  [Symbol.asyncIterator](): AsyncQueue<Uint8Array> {
    return this.arriving;
  }
}

function open(options?: { readonly maxBytes?: number }): {
  readonly fake: FakeStream;
  readonly socket: ReturnType<typeof createMessageStream>;
} {
  const fake = new FakeStream();
  return { fake, socket: createMessageStream(fake as unknown as TunnelStream, options) };
}

describe('messages', () => {
  test('are the same however the stream is split', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 12 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 }),
        async (messages, cuts) => {
          const sender = open();
          for (const message of messages) await sender.socket.send(message);
          const bytes = Buffer.concat(sender.fake.written);
          const { fake, socket } = open();
          for (let offset = 0, turn = 0; offset < bytes.length; turn += 1) {
            const end = offset + (cuts[turn % cuts.length] ?? 1);
            fake.arriving.push(bytes.subarray(offset, end));
            offset = end;
          }
          fake.arriving.close();
          const read: number[][] = [];
          for await (const message of socket.messages) read.push([...message]);
          expect(read).toEqual(messages.map((message) => [...message]));
          expect([socket.closed.aborted, fake.ended]).toEqual([true, true]);
        },
      ),
    );
  });

  test('that are too large end the stream before they are held', async () => {
    const { fake, socket } = open({ maxBytes: 10 });
    fake.arriving.push(Uint8Array.of(0, 0, 0, 11));
    for await (const message of socket.messages) expect(message).toBe('nothing');
    expect(fake.resetBy).toBe(0x1000);
  });

  test('are not sent on what is closed', async () => {
    const { fake, socket } = open();
    socket.close();
    expect(fake.ended).toBe(true);
    await expect(socket.send(Uint8Array.of(1))).rejects.toMatchObject({ code: 'stream_closed' });
  });

  test('wait at the sender while nobody reads them', async () => {
    const { fake, socket } = open();
    const message = Buffer.alloc(100_004);
    message.writeUInt32BE(100_000);
    for (let sent = 0; sent < 10; sent += 1) fake.arriving.push(message);
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
    // Three fill what may wait; the rest is not taken from the stream.
    expect(fake.arriving.size).toBeGreaterThan(5);
    fake.arriving.close();
    let read = 0;
    for await (const one of socket.messages) read += one.length;
    expect(read).toBe(1_000_000);
  });
});
