import { parseIpAddress } from '../address/ip-address.ts';
import type { FabricIntent, NodeIntent } from '../intent/segment-intent.ts';
import { ipsecRequestId, ipsecSpi } from './ipsec-numbers.ts';
import type { IpsecOperation } from './ipsec-operation.ts';
import type { KeyPhase } from './key-phase.ts';

/** What IPsec on a node is to be: the peers, the VNIs and the keys' phase. */
export interface IpsecIntent {
  readonly node: NodeIntent;
  readonly peers: readonly NodeIntent[];
  readonly vxlanPort: number;
  /** VNIs that are never to be seen outside IPsec. */
  readonly vnis: readonly number[];
  /** Whether all VXLAN of the node is encrypted, so that all else can be blocked. */
  readonly only: boolean;
  readonly phase: KeyPhase;
}

/** Undefined where the node has no segment that asks for IPsec. */
export function ipsecIntent(
  intent: FabricIntent,
  options: { readonly node: string; readonly phase: KeyPhase },
): IpsecIntent | undefined {
  const node = intent.nodes.find(({ name }) => name === options.node);
  const here = intent.segments.filter(({ ports }) =>
    ports.some((port) => port.node === options.node),
  );
  const wanted = here.filter(({ encryption }) => encryption.underlay === 'ipsec');
  if (node === undefined || wanted.length === 0) return undefined;
  const names = new Set(wanted.flatMap(({ ports }) => ports.map((port) => port.node)));
  return {
    node,
    peers: intent.nodes.filter(({ name }) => name !== node.name && names.has(name)),
    vxlanPort: intent.vxlanPort,
    vnis: wanted.map(({ vni }) => vni).toSorted((a, b) => a - b),
    only: here.every(({ encryption }) => encryption.underlay !== 'none'),
    phase: options.phase,
  };
}

/**
 * The operations from one state to another, in an order in which nothing is open in between: first
 * what drops plaintext, then keys to receive with, then what is sent with, then what goes.
 */
export function planIpsec(
  from: IpsecIntent | undefined,
  to: IpsecIntent | undefined,
): readonly IpsecOperation[] {
  const before = from === undefined ? nothing : parts(from);
  const after = to === undefined ? nothing : parts(to);
  return [
    ...missing(after.guards, before.guards),
    ...missing(after.associations, before.associations),
    ...missing(after.policies, before.policies),
    ...missing(before.policies, after.policies, samePolicy).map(deletion),
    ...missing(before.associations, after.associations).map(deletion),
    ...missing(before.guards, after.guards, sameKind).map(deletion),
  ];
}

interface Parts {
  readonly guards: readonly IpsecOperation[];
  readonly associations: readonly IpsecOperation[];
  readonly policies: readonly IpsecOperation[];
}

const nothing: Parts = { guards: [], associations: [], policies: [] };

function parts({ node, peers, vxlanPort: port, vnis, only, phase }: IpsecIntent): Parts {
  const { family } = parseIpAddress(node.underlay);
  const associations: IpsecOperation[] = [];
  const policies: IpsecOperation[] = [];
  for (const peer of peers) {
    const requestId = ipsecRequestId(peer.name);
    const own = { from: node.name, to: peer.name };
    const theirs = { from: peer.name, to: node.name };
    const out = { source: node.underlay, destination: peer.underlay };
    const back = { source: peer.underlay, destination: node.underlay };
    const add = (pair: typeof own, ends: typeof out, epoch: number): IpsecOperation => ({
      kind: 'association-add',
      ...ends,
      spi: ipsecSpi({ ...pair, epoch }),
      requestId,
      port,
      key: { use: 'esp', ...pair, epoch },
    });
    associations.push(
      ...phase.receive.map((epoch) => add(theirs, back, epoch)),
      add(own, out, phase.send),
    );
    policies.push(
      { kind: 'policy-set', direction: 'in', ...back, port, requestId },
      {
        kind: 'policy-set',
        direction: 'out',
        ...out,
        port,
        requestId,
        spi: ipsecSpi({ ...own, epoch: phase.send }),
      },
    );
  }
  return {
    guards: [
      { kind: 'guard-install', port, vnis },
      ...(only ? [{ kind: 'block-set', family, port } as const] : []),
    ],
    associations,
    policies,
  };
}

function deletion(operation: IpsecOperation): IpsecOperation {
  switch (operation.kind) {
    case 'association-add': {
      const { source, destination, spi } = operation;
      return { kind: 'association-delete', source, destination, spi };
    }
    case 'policy-set': {
      const { direction, source, destination, port } = operation;
      return { kind: 'policy-delete', direction, source, destination, port };
    }
    case 'guard-install':
      return { kind: 'guard-delete' };
    case 'block-set':
      return { ...operation, kind: 'block-delete' };
    default:
      return operation;
  }
}

function missing(
  wanted: readonly IpsecOperation[],
  there: readonly IpsecOperation[],
  keyOf: (operation: IpsecOperation) => string = JSON.stringify,
): readonly IpsecOperation[] {
  const keys = new Set(there.map(keyOf));
  return wanted.filter((operation) => !keys.has(keyOf(operation)));
}

/** A policy that only sends with another key is replaced in place, never deleted. */
function samePolicy(operation: IpsecOperation): string {
  return JSON.stringify({ ...operation, spi: undefined, requestId: undefined });
}

function sameKind({ kind }: IpsecOperation): string {
  return kind;
}
