import type { Keyring, NodeStatus } from '@tapline/resources';
import { type FabricIntent, keyPhase, type NodeIntent } from '@tapline/segments';

/** An intent with the keys of IPsec and MACsec that a node was told of; the same without a ring. */
export function keyedIntent(intent: FabricIntent, ring: Keyring | undefined): FabricIntent {
  if (ring === undefined) return intent;
  const keys = new Map(ring.peers.map((peer) => [peer.name, peer]));
  return {
    ...intent,
    nodes: intent.nodes.map((node) => withKeys(node, keys.get(node.name))),
    keys: keyPhase(ring.step),
  };
}

/** The same as somebody else sees it, by what the node has reported of itself. */
export function reportedIntent(
  intent: FabricIntent,
  { node, status }: { readonly node: string; readonly status: NodeStatus | undefined },
): FabricIntent {
  const { keys, keyring = { step: 0, peers: [] } } = status ?? {};
  if (keys === undefined) return intent;
  const own = { name: node, agreementKey: keys.agreementKey, generation: keys.generation };
  return keyedIntent(intent, { ...keyring, peers: [...keyring.peers, own] });
}

function withKeys(node: NodeIntent, keys: Keyring['peers'][number] | undefined): NodeIntent {
  if (keys === undefined) return node;
  const { agreementKey, generation, wrapped } = keys;
  return {
    ...node,
    agreementKey,
    keyGeneration: generation,
    ...(wrapped === undefined ? {} : { wrappedKeys: wrapped }),
  };
}
