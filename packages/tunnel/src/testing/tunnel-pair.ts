import { ManualClock } from '@tapline/base';
import { BufferPool } from '../buffer-pool.ts';
import { defaultLimits, type TunnelLimits } from '../limits.ts';
import { Session } from '../session.ts';
import { TunnelServer } from '../tunnel-server.ts';
import { createPipe, type Pipe } from './pipe.ts';

/** A client and a server with a pipe between them that the test moves. */
export class TunnelPair {
  readonly clock: ManualClock = new ManualClock();
  readonly client: Session;
  readonly server: TunnelServer;
  readonly sessions: Session[] = [];
  pipe: Pipe;
  #tokens = 0;
  readonly #reportBuffered: boolean;

  constructor(
    options: {
      readonly limits?: Partial<TunnelLimits>;
      readonly clientLimits?: Partial<TunnelLimits>;
      readonly reportBuffered?: boolean;
      readonly maxHalfOpenEach?: number;
      readonly maxSessions?: number;
    } = {},
  ) {
    const { clock } = this;
    const limits = { ...defaultLimits, ...options.limits };
    const pool = new BufferPool();
    this.client = new Session({
      role: 'client',
      clock,
      pool,
      limits: { ...limits, ...options.clientLimits },
    });
    this.server = new TunnelServer({
      clock,
      limits,
      pool,
      newToken: () => {
        this.#tokens += 1;
        return new Uint8Array(32).fill(this.#tokens);
      },
      onSession: (session) => void this.sessions.push(session),
      ...(options.maxHalfOpenEach === undefined
        ? {}
        : { maxHalfOpenEach: options.maxHalfOpenEach }),
      ...(options.maxSessions === undefined ? {} : { maxSessions: options.maxSessions }),
    });
    this.#reportBuffered = options.reportBuffered ?? false;
    this.pipe = this.connect();
  }

  /** The server's end of the newest session. */
  get session(): Session {
    const session = this.sessions.at(-1);
    if (session === undefined) throw new Error('no session has begun');
    return session;
  }

  /** A new connection of the client. */
  connect(principal: string = 'd1'): Pipe {
    const pipe = createPipe({ reportBuffered: this.#reportBuffered });
    this.pipe = pipe;
    pipe.right.events = this.server.accept(pipe.right, principal);
    pipe.left.events = this.client.connect(pipe.left);
    return pipe;
  }

  /** Delivers everything, and what that leads to, until nothing moves. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 4; quiet += 1) {
      while (this.pipe.deliver('right') || this.pipe.deliver('left')) quiet = 0;
      for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
    }
  }
}
