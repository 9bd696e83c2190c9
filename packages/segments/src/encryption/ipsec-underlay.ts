import { formatIpAddress, parseIpAddress } from '../address/ip-address.ts';
import type { NodeIntent, SegmentIntent } from '../intent/segment-intent.ts';
import { emptyState } from '../state/empty-state.ts';
import type { NodeState, XfrmState } from '../state/node-state.ts';
import { ipsecGuard } from './ipsec-guard.ts';
import { ipsecRequestId, ipsecSpi } from './ipsec-numbers.ts';
import type { KeyPhase } from './key-phase.ts';
import { pathAddress, segmentPath } from './segment-path.ts';

/** Policies of peers come first, then who is let in as it is, then the one that blocks. */
export const ipsecPriority = { peer: 100, plain: 500, block: 1000 } as const;
export const ipsecAlgorithm = 'rfc4106(gcm(aes))';

/** Associations, policies and the guard of a node whose segments ask for IPsec. */
export function ipsecUnderlay(
  node: NodeIntent,
  options: {
    readonly nodes: ReadonlyMap<string, NodeIntent>;
    /** All segments of the node. */
    readonly segments: readonly SegmentIntent[];
    readonly vxlanPort: number;
    readonly phase: KeyPhase;
    /** Whether somebody else has an overlay on the port, which a block would be for, too. */
    readonly shared: boolean;
  },
): NodeState {
  const { nodes, segments, vxlanPort: port, phase, shared } = options;
  const wanted = segments.filter(({ encryption }) => encryption.underlay === 'ipsec');
  const pairs = new Map<string, Pair>();
  for (const { encryption, ports } of wanted) {
    const path = segmentPath(encryption);
    for (const name of new Set(ports.map((entry) => entry.node))) {
      const peer = nodes.get(name);
      if (peer === undefined || name === node.name) continue;
      const [own, other] = [pathAddress(node, path), pathAddress(peer, path)];
      if (own === undefined || other === undefined) continue;
      pairs.set(`${path} ${name}`, { peer, own: plainText(own), other: plainText(other), path });
    }
  }
  const parts = [...pairs.values()].map((pair) => pairState(node, pair, { port, phase }));
  // What is in the clear or inside WireGuard has the same port, and is let through from and to its own
  // peers: without rules of nftables, too, nobody else's packets come in.
  const plain = plainPeers(node, { nodes, segments, pairs: [...pairs.values()] });
  const families = new Set([...pairs.values()].map(({ own }) => parseIpAddress(own).family));
  return {
    ...emptyState,
    nft: {
      tables: [
        ipsecGuard(
          port,
          wanted.map(({ vni }) => vni).toSorted((a, b) => a - b),
        ),
      ],
    },
    xfrm: {
      associations: parts.flatMap(({ associations }) => associations),
      policies: [
        ...parts.flatMap(({ policies }) => policies),
        ...(shared && plain.length > 0
          ? []
          : [
              ...plain.flatMap((pair) => lets(pair, port)),
              ...[...families].flatMap((family) => blocks(family, port)),
            ]),
      ],
    },
  };
}

/** Of segments that are not in ESP; a pair that is has one policy for all that is between it. */
function plainPeers(
  node: NodeIntent,
  options: {
    readonly nodes: ReadonlyMap<string, NodeIntent>;
    readonly segments: readonly SegmentIntent[];
    readonly pairs: readonly Pair[];
  },
): readonly Pick<Pair, 'own' | 'other'>[] {
  const { nodes, segments, pairs } = options;
  const encrypted = new Set(pairs.map(({ own, other }) => `${own} ${other}`));
  const found = new Map<string, Pick<Pair, 'own' | 'other'>>();
  for (const { encryption, ports } of segments) {
    if (encryption.underlay === 'ipsec') continue;
    const path = segmentPath(encryption);
    for (const name of new Set(ports.map((entry) => entry.node))) {
      const peer = name === node.name ? undefined : nodes.get(name);
      const [own, other] = [pathAddress(node, path), peer && pathAddress(peer, path)];
      if (own === undefined || other === undefined) continue;
      const pair = { own: plainText(own), other: plainText(other) };
      const key = `${pair.own} ${pair.other}`;
      if (!encrypted.has(key)) found.set(key, pair);
    }
  }
  return [...found.values()];
}

function lets({ own, other }: Pick<Pair, 'own' | 'other'>, port: number): XfrmState['policies'] {
  const prefix = parseIpAddress(own).family === 4 ? 32 : 128;
  return (['in', 'out'] as const).map((direction) => {
    const [source, destination] = direction === 'in' ? [other, own] : [own, other];
    return {
      direction,
      priority: ipsecPriority.plain,
      source: `${source}/${prefix}`,
      destination: `${destination}/${prefix}`,
      protocol: 'udp',
      destinationPort: port,
      action: 'allow',
      level: 'use',
    };
  });
}

interface Pair {
  readonly peer: NodeIntent;
  readonly own: string;
  readonly other: string;
  readonly path: string;
}

function pairState(
  node: NodeIntent,
  { peer, own, other, path }: Pair,
  { port, phase }: { readonly port: number; readonly phase: KeyPhase },
): XfrmState {
  const requestId = ipsecRequestId(`${path} ${peer.name}`);
  const out = { source: own, destination: other };
  const back = { source: other, destination: own };
  const over = path === 'link' ? ({ over: 'link' } as const) : {};
  function association(from: NodeIntent, to: NodeIntent, epoch: number) {
    const { agreementKey: fromKey = '', keyGeneration: generation = 0 } = from;
    const { agreementKey: toKey = '' } = to;
    return {
      ...(from === node ? out : back),
      spi: ipsecSpi({ from: fromKey, to: toKey, epoch, generation }),
      requestId,
      mode: 'transport',
      algorithm: ipsecAlgorithm,
      port,
      key: {
        use: 'esp',
        from: from.name,
        to: to.name,
        epoch,
        generation,
        fromKey,
        toKey,
        ...over,
      } as const,
    };
  }
  // Without a peer's key there is no way to it: the policies stand, and nothing satisfies them.
  const known = peer.agreementKey !== undefined && node.agreementKey !== undefined;
  const sending = known ? association(node, peer, phase.send) : undefined;
  const policy = {
    priority: ipsecPriority.peer,
    protocol: 'udp',
    destinationPort: port,
    action: 'allow',
    level: 'required',
    requestId,
  } as const;
  const prefix = parseIpAddress(own).family === 4 ? 32 : 128;
  return {
    associations:
      sending === undefined
        ? []
        : [...phase.receive.map((epoch) => association(peer, node, epoch)), sending],
    policies: (['in', 'out'] as const).map((direction) => {
      const { source, destination } = direction === 'in' ? back : out;
      return {
        ...policy,
        direction,
        source: `${source}/${prefix}`,
        destination: `${destination}/${prefix}`,
        ...(direction === 'out' && sending !== undefined && { spi: sending.spi }),
      };
    }),
  };
}

/** What no policy of a peer matches is dropped, both ways. */
function blocks(family: 4 | 6, port: number): XfrmState['policies'] {
  const any = family === 4 ? '0.0.0.0/0' : '::/0';
  return (['in', 'out'] as const).map((direction) => ({
    direction,
    priority: ipsecPriority.block,
    source: any,
    destination: any,
    protocol: 'udp',
    destinationPort: port,
    action: 'block',
    level: 'use',
  }));
}

function plainText(text: string): string {
  return formatIpAddress(parseIpAddress(text));
}
