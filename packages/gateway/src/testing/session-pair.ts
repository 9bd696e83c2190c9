import { systemClock } from '@tapline/base';
import { BufferPool, defaultLimits, Session, TunnelServer } from '@tapline/tunnel';

/** Two ends of a tunnel without a network between them. */
export interface SessionPair extends Disposable {
  readonly client: Session;
  readonly server: Session;
}

export async function connectedPair(): Promise<SessionPair> {
  const shared = { clock: systemClock, limits: defaultLimits, pool: new BufferPool() };
  const client = new Session({ role: 'client', ...shared });
  const begun = Promise.withResolvers<Session>();
  const server = new TunnelServer({
    ...shared,
    newToken: () => crypto.getRandomValues(new Uint8Array(32)),
    onSession: (session) => begun.resolve(session),
  });
  // Two transports that hand over in the next turn.
  const far: { receive?: (bytes: Uint8Array) => void } = {};
  const near: { receive?: (bytes: Uint8Array) => void } = {};
  const towards = (end: typeof far) => ({
    write: (bytes: Uint8Array) => void setImmediate((copy) => end.receive?.(copy), bytes.slice()),
    bufferedBytes: 0,
    close: () => undefined,
  });
  const serving = server.accept(towards(near), 'peer');
  far.receive = (bytes) => serving.receive(bytes);
  const connected = Promise.withResolvers<undefined>();
  client.onConnection(() => connected.resolve(undefined));
  const asking = client.connect(towards(far));
  near.receive = (bytes) => asking.receive(bytes);
  await connected.promise;
  return {
    client,
    server: await begun.promise,
    [Symbol.dispose]() {
      client.close();
      server.close(0, 'the test is over');
    },
  };
}
