import { askSocket } from '../ask-socket.ts';

/** What the edge counted of one channel since it started. */
export interface ChannelFigures {
  readonly requests: number;
  readonly hits: number;
  readonly misses: number;
  readonly passes: number;
  readonly fetches: number;
  readonly originFailures: number;
  /** What it keeps of the channel. */
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

export interface EdgeFigures {
  readonly channels?: Readonly<Record<string, ChannelFigures>>;
}

/** Asks the edge cache of this node over its socket. Throws `edge_unreachable`, or what it answers. */
export function askEdge(
  socketPath: string,
  asked: { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: unknown },
): Promise<unknown> {
  const owner = { who: 'the edge cache', code: 'edge_unreachable' };
  return askSocket(socketPath, { ...asked, owner });
}
