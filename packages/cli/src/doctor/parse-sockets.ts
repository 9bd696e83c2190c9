/** An established TCP connection, as `ss -tinpH` prints it. */
export interface TcpSocket {
  /** Address and port; brackets around those of IPv6. */
  readonly local: string;
  readonly peer: string;
  readonly sentBytes: number;
  readonly pathMtu: number;
  readonly segmentBytes: number;
  readonly retransmissions: number;
  /** Whose it is; undefined where this user may not know. */
  readonly program: string | undefined;
}

/** Reads the output of `ss -tinpH state established`; what is no connection is passed over. */
export function parseSockets(text: string): readonly TcpSocket[] {
  const lines = text.split('\n');
  return lines.flatMap((line, at) => {
    const [, local, peer] = /^\d+\s+\d+\s+(\S+:\d+)\s+(\S+:\d+)/.exec(line) ?? [];
    if (local === undefined || peer === undefined) return [];
    const facts = /^\s/.test(lines[at + 1] ?? '') ? (lines[at + 1] ?? '') : '';
    return [
      {
        local: withoutMapping(local),
        peer: withoutMapping(peer),
        // Not printed before anything was sent.
        sentBytes: numberOf(facts, 'bytes_sent'),
        pathMtu: numberOf(facts, 'pmtu'),
        segmentBytes: numberOf(facts, 'mss'),
        retransmissions: Number(/\bretrans:\d+\/(\d+)/.exec(facts)?.[1] ?? 0),
        program: /users:\(\("([^"]+)"/.exec(line)?.[1],
      },
    ];
  });
}

function numberOf(facts: string, name: string): number {
  return Number(new RegExp(`\\b${name}:(\\d+)`).exec(facts)?.[1] ?? 0);
}

/** `[::ffff:10.0.0.1]:443` is 10.0.0.1:443 to everybody else. */
function withoutMapping(address: string): string {
  return address.replace(/^\[::ffff:([\d.]+)\]/, '$1');
}
