import { describe, expect, test } from 'vitest';
import { closeError, CloseCode } from './close-code.ts';
import { createPipe } from './testing/pipe.ts';
import { TunnelPair } from './testing/tunnel-pair.ts';
import type { TunnelStream } from './tunnel-types.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

async function readAll(stream: TunnelStream): Promise<string> {
  let all = '';
  for await (const part of stream) all += new TextDecoder().decode(part);
  return all;
}

async function connected(options?: ConstructorParameters<typeof TunnelPair>[0]): Promise<{
  readonly pair: TunnelPair;
  readonly accepted: TunnelStream[];
}> {
  const pair = new TunnelPair(options);
  await pair.settle();
  const accepted: TunnelStream[] = [];
  pair.session.onStream((stream) => void accepted.push(stream));
  return { pair, accepted };
}

describe('a stream', () => {
  test('carries bytes both ways, with its name, header and class', async () => {
    const { pair, accepted } = await connected();
    const stream = pair.client.open({ class: 'control', name: 'rpc', header: text('h') });
    stream.write(text('ping'));
    stream.end();
    await pair.settle();
    const [peer] = accepted;
    expect(peer?.opening).toMatchObject({ class: 'control', name: 'rpc', header: text('h') });
    if (peer === undefined) throw new Error('no stream');
    expect(await readAll(peer)).toBe('ping');
    peer.write(text('pong'));
    peer.end();
    await pair.settle();
    expect(await readAll(stream)).toBe('pong');
    expect(stream.closed.aborted).toBe(true);
    expect([pair.client.stats().streams, pair.session.stats().streams]).toEqual([0, 0]);
  });

  test('is opened by a server too', async () => {
    const { pair } = await connected();
    const heard: string[] = [];
    pair.client.onStream((stream) => void heard.push(stream.opening.name));
    expect(pair.session.open({ class: 'bulk', name: 'exec' }).id).toBe(2);
    await pair.settle();
    expect(heard).toEqual(['exec']);
  });

  test('holds its writer back until the peer has read', async () => {
    const { pair, accepted } = await connected({
      limits: { streamCredit: 1000, maxStreamCredit: 1000 },
    });
    const stream = pair.client.open({ class: 'control', name: 's' });
    stream.write(new Uint8Array(1500));
    await pair.settle();
    const [peer] = accepted;
    expect((await peer?.read())?.length).toBe(1000);
    await pair.settle();
    expect((await peer?.read())?.length).toBe(500);
    expect(stream.write(new Uint8Array(100_000))).toBe(false);
    const state = { free: false };
    const writing = (async () => {
      await stream.writable();
      state.free = true;
    })();
    await pair.settle();
    expect(state.free).toBe(false);
    for (let reads = 0; reads < 100 && !state.free; reads += 1) {
      await peer?.read();
      await pair.settle();
    }
    await writing;
  });

  test('that is reset ends at both ends with its code', async () => {
    const { pair, accepted } = await connected();
    const stream = pair.client.open({ class: 'bulk', name: 's' });
    stream.write(text('lost'));
    await pair.settle();
    stream.reset(0x1001, 'not wanted');
    await pair.settle();
    expect(accepted[0]?.closed.reason).toMatchObject({ details: { closeCode: 0x1001 } });
    await expect(accepted[0]?.read()).rejects.toThrow('not wanted');
    expect(() => stream.write(text('more'))).toThrow('not wanted');
  });

  test('is refused where nobody takes streams', async () => {
    const pair = new TunnelPair();
    await pair.settle();
    const stream = pair.client.open({ class: 'bulk', name: 's' });
    await pair.settle();
    await expect(stream.read()).rejects.toMatchObject({ code: 'tunnel_refused' });
  });

  test('that nobody reads holds no other one up, and a bounded part of memory', async () => {
    const { pair, accepted } = await connected();
    const slow = pair.client.open({ class: 'bulk', name: 'slow' });
    const quick = pair.client.open({ class: 'bulk', name: 'quick' });
    for (let index = 0; index < 64; index += 1) slow.write(new Uint8Array(16_384));
    await pair.settle();
    let read = 0;
    const [, peer] = accepted;
    for (let index = 0; index < 64; index += 1) quick.write(new Uint8Array(16_384));
    quick.end();
    const reading = (async () => {
      for await (const part of peer ?? []) read += part.length;
    })();
    for (let index = 0; index < 40; index += 1) await pair.settle();
    await reading;
    expect(read).toBe(1_048_576);
  });
});

describe('a session', () => {
  test('goes on after a cut, with what was lost sent again and nothing twice', async () => {
    const { pair, accepted } = await connected();
    const stream = pair.client.open({ class: 'bulk', name: 's' });
    stream.write(text('one '));
    await pair.settle();
    stream.write(text('two '));
    await Promise.resolve();
    pair.pipe.cut();
    stream.write(text('three'));
    stream.end();
    expect(pair.client.connected).toBe(false);
    pair.connect();
    await pair.settle();
    expect(await readAll(accepted[0] as TunnelStream)).toBe('one two three');
    expect(pair.client.stats().resentBytes).toBeGreaterThan(0);
    expect(pair.sessions).toHaveLength(1);
  });

  test('goes on within a frame that was cut', async () => {
    const { pair, accepted } = await connected();
    const stream = pair.client.open({ class: 'bulk', name: 's' });
    await pair.settle();
    const data = Uint8Array.from({ length: 3000 }, (_, index) => index);
    stream.write(data);
    stream.end();
    await Promise.resolve();
    for (const part of [1000, 10, 2, 500]) {
      pair.pipe.deliver('right', part);
      pair.pipe.cut();
      pair.connect();
      pair.pipe.deliver('right');
      pair.pipe.deliver('left');
      await Promise.resolve();
    }
    await pair.settle();
    const read: number[] = [];
    for await (const part of accepted[0] as TunnelStream) read.push(...part);
    expect(read).toEqual([...data]);
  });

  test('is not given to who shows a token that was used', async () => {
    const { pair } = await connected();
    pair.pipe.cut();
    const recorded: Uint8Array[] = [];
    const resumed = pair.connect();
    const { events } = resumed.right;
    resumed.right.events = {
      receive(bytes) {
        recorded.push(bytes);
        events?.receive(bytes);
      },
      drained: () => events?.drained(),
      closed: (cause) => events?.closed(cause),
    };
    await pair.settle();
    await pair.clock.advance(15_000);
    await pair.settle();
    const replay = createPipe();
    const answers: Uint8Array[] = [];
    replay.left.events = {
      receive: (bytes) => void answers.push(bytes),
      drained() {},
      closed() {},
    };
    pair.server.accept(replay.right, 'd1').receive(recorded[0] ?? new Uint8Array());
    replay.deliver('left');
    // Close, and its code.
    expect([answers[0]?.[0], answers[0]?.[9]]).toEqual([5, CloseCode.SessionUnknown]);
    expect(pair.client.connected).toBe(true);
  });

  test('is not given to somebody else who has its token', async () => {
    const { pair } = await connected();
    pair.pipe.cut();
    pair.connect('thief');
    await pair.settle();
    expect(pair.client.closed.reason).toMatchObject({ code: 'unauthorized' });
    expect(pair.session.closed.aborted).toBe(false);
  });

  test('ends when no connection comes back in time', async () => {
    const { pair } = await connected();
    pair.pipe.cut();
    await pair.clock.advance(60_000);
    expect(pair.session.closed.reason).toMatchObject({ code: 'tunnel_timeout' });
    expect(pair.client.closed.reason).toMatchObject({ code: 'tunnel_timeout' });
    await expect(async () => pair.client.open({ class: 'bulk', name: 's' })).rejects.toThrow(
      'no connection',
    );
  });

  test('asks a silent peer, and gives a connection up that does not answer', async () => {
    const { pair } = await connected();
    await pair.clock.advance(15_000);
    await pair.settle();
    await pair.clock.advance(15_000);
    await pair.settle();
    expect(pair.client.connected).toBe(true);
    await pair.clock.advance(40_000);
    expect([pair.client.connected, pair.session.connected]).toEqual([false, false]);
    pair.connect();
    await pair.settle();
    expect(pair.client.connected).toBe(true);
  });

  test('of a client that asks to be missed soon is given up soon, counted from its last word', async () => {
    const { pair } = await connected({ clientLimits: { keepaliveMs: 1000 } });
    for (let second = 0; second < 20; second += 1) {
      await pair.clock.advance(1000);
      await pair.settle();
    }
    expect(pair.session.connected).toBe(true);
    const heardMs = pair.clock.monotonic();
    // Nothing is delivered any more, and no end of the connection either.
    await pair.clock.advance(2400);
    expect(pair.session.connected).toBe(true);
    await pair.clock.advance(400);
    expect(pair.session.connected).toBe(false);
    expect(pair.session.lostMs).toBe(heardMs);
  });

  test('is not given up sooner than a server bears, whatever its client asks for', async () => {
    const { pair } = await connected({ clientLimits: { keepaliveMs: 1 } });
    await pair.clock.advance(1200);
    expect(pair.session.connected).toBe(true);
    await pair.clock.advance(400);
    expect(pair.session.connected).toBe(false);
  });

  test('that is closed says why at the other end, and all its streams end', async () => {
    const { pair, accepted } = await connected();
    pair.client.open({ class: 'bulk', name: 's' });
    await pair.settle();
    pair.client.close(CloseCode.GoingAway, 'the agent is stopping');
    await pair.settle();
    expect(pair.session.closed.reason).toMatchObject({ code: 'tunnel_going_away' });
    await expect(accepted[0]?.read()).rejects.toThrow('the agent is stopping');
  });

  test('keeps no buffers when nothing is under way', async () => {
    const { pair } = await connected();
    pair.client.open({ class: 'control', name: 's' }).write(text('x'));
    await pair.settle();
    expect(pair.client.stats().unacknowledgedBytes).toBeGreaterThan(0);
    await pair.clock.advance(60);
    await pair.settle();
    expect(pair.client.stats().unacknowledgedBytes).toBe(0);
  });

  test('refuses streams beyond the limit, and the opener knows it before', async () => {
    const { pair } = await connected({ limits: { maxStreams: 2 } });
    pair.client.open({ class: 'bulk', name: 'a' });
    pair.client.open({ class: 'bulk', name: 'b' });
    expect(() => pair.client.open({ class: 'bulk', name: 'c' })).toThrow('the peer allows 2');
  });
});

describe('a server', () => {
  test('gives connections up that do not greet, and bears only so many of them', async () => {
    const pair = new TunnelPair({ maxHalfOpenEach: 1 });
    const mute = pair.pipe;
    const other = createPipe();
    pair.server.accept(other.right, 'd2');
    expect(other.closed).toBe(false);
    const second = pair.connect();
    second.deliver('left');
    expect(second.closed).toBe(true);
    expect(pair.client.closed.reason).toMatchObject({ code: 'too_many_sessions' });
    await pair.clock.advance(10_000);
    expect(mute.closed).toBe(true);
  });

  test('refuses a session that its owner does not want', async () => {
    const pair = new TunnelPair({ maxSessions: 0 });
    await pair.settle();
    expect(pair.client.closed.reason).toMatchObject({ code: 'too_many_sessions' });
  });
});

test('an error says its code on the wire', () => {
  expect(closeError(CloseCode.Flood, 'x')).toMatchObject({
    code: 'tunnel_flood',
    details: { closeCode: 14 },
  });
  expect(closeError(5000, 'x').code).toBe('tunnel_application');
});
