import { formatIpAddress, parseIpAddress } from '../address/ip-address.ts';
import type { NodeIntent, SegmentIntent } from '../intent/segment-intent.ts';
import { macsecName } from '../names/interface-names.ts';
import { emptyState } from '../state/empty-state.ts';
import type { MacsecAssociation, NodeState } from '../state/node-state.ts';
import { macsecOverhead } from '../datapath/macsec/macsec-sender.ts';
import { associationNumber, macsecKeyId } from './macsec-numbers.ts';
import { linkGuard, macsecGuard } from './macsec-guard.ts';
import { segmentPath } from './segment-path.ts';
import type { KeyPhase } from './key-phase.ts';

export const macsecCipherName = 'GCM-AES-256';

/** The device on a node's link that carries segments which ask for MACsec. */
export function macsecLink(
  node: NodeIntent,
  options: {
    readonly nodes: ReadonlyMap<string, NodeIntent>;
    readonly segments: readonly SegmentIntent[];
    readonly vxlanPort: number;
    readonly linkMtu: number;
    readonly phase: KeyPhase;
  },
): NodeState {
  const { nodes, segments, vxlanPort, linkMtu, phase } = options;
  const { link } = node;
  if (link?.interface === undefined) return emptyState;
  const wanted = segments.filter(({ encryption }) => encryption.link === 'macsec');
  const names = new Set(wanted.flatMap(({ ports }) => ports.map((port) => port.node)));
  const peers = [...names].flatMap((name) => (name === node.name ? [] : (nodes.get(name) ?? [])));
  // Inside WireGuard they come out of its device instead.
  const vnis = wanted
    .filter(({ encryption }) => segmentPath(encryption) === 'link')
    .map(({ vni }) => vni)
    .toSorted((a, b) => a - b);
  const own = sendingAssociation(node, phase);
  const address = parseIpAddress(link.address);
  return {
    ...emptyState,
    nft: {
      tables: [
        macsecGuard(link.interface),
        ...(vnis.length === 0 ? [] : [linkGuard(vxlanPort, vnis)]),
      ],
    },
    addresses: [
      { dev: macsecName, address: formatIpAddress(address), prefixLength: link.prefixLength },
    ],
    macsec: [
      {
        dev: macsecName,
        parent: link.interface,
        mtu: linkMtu - macsecOverhead,
        mac: link.mac,
        cipher: macsecCipherName,
        encrypt: true,
        protect: true,
        validate: 'strict',
        activeTx: own === undefined ? -1 : own.number,
        sends: own === undefined ? [] : [own],
        receives: peers.flatMap((peer) =>
          peer.link === undefined
            ? []
            : [{ mac: peer.link.mac, associations: receptions(peer, node, phase) }],
        ),
      },
    ],
  };
}

function sendingAssociation(node: NodeIntent, { send }: KeyPhase): MacsecAssociation | undefined {
  const { agreementKey: fromKey, keyGeneration: generation = 0, name } = node;
  if (fromKey === undefined) return undefined;
  return {
    number: associationNumber(send),
    keyId: macsecKeyId({ fromKey, epoch: send, generation }),
    active: true,
    key: { use: 'macsec', from: name, epoch: send, generation, fromKey },
  };
}

/** Only those whose key has come: without it there is nothing to take frames with. */
function receptions(
  peer: NodeIntent,
  node: NodeIntent,
  { receive }: KeyPhase,
): readonly MacsecAssociation[] {
  const { agreementKey: fromKey, name } = peer;
  const { agreementKey: toKey } = node;
  if (fromKey === undefined || toKey === undefined) return [];
  const generation = peer.keyGeneration ?? 0;
  return receive.map((epoch) => {
    const wrapped = peer.wrappedKeys?.find(
      (entry) => entry.epoch === epoch && entry.generation === generation,
    );
    return {
      number: associationNumber(epoch),
      keyId: macsecKeyId({ fromKey, epoch, generation }),
      active: true,
      ...(wrapped !== undefined && {
        key: {
          use: 'macsec',
          from: name,
          to: node.name,
          epoch,
          generation,
          fromKey,
          toKey,
          sealed: wrapped.sealed,
        } as const,
      }),
    };
  });
}
