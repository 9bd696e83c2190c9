import {
  type FabricIntent,
  type NodeIntent,
  type NodeState,
  sendingKeyId,
} from '@tapline/segments';
import type { FabricHelper } from './fabric-helper.ts';

/** The node's own part in keys of IPsec and MACsec: what it agrees with, and what it sends with. */
export interface OwnKeys {
  /** The intent with them, where one of its segments asks for keys; the same nodes for the same ones. */
  add(intent: FabricIntent): Promise<FabricIntent>;
  /** Whether something that was sent with is not there any more. */
  isLost(desired: NodeState, observed: NodeState): Promise<boolean>;
  readonly sendEpoch: number | undefined;
}

export function ownKeys(node: string, helper: Pick<FabricHelper, 'keys'>): OwnKeys {
  let last:
    | { readonly given: unknown; readonly id: string; readonly nodes: readonly NodeIntent[] }
    | undefined;
  let sendEpoch: number | undefined;
  return {
    get sendEpoch() {
      return sendEpoch;
    },
    async add(intent) {
      const asks = intent.segments.some(
        ({ encryption }) => encryption.underlay === 'ipsec' || encryption.link === 'macsec',
      );
      sendEpoch = asks ? intent.keys?.send : undefined;
      if (!asks) return intent;
      const { publicKey: agreementKey, generation: keyGeneration } = await helper.keys();
      const id = `${agreementKey} ${keyGeneration}`;
      if (last?.given !== intent.nodes || last.id !== id) {
        const nodes = intent.nodes.map((entry) =>
          entry.name === node ? { ...entry, agreementKey, keyGeneration } : entry,
        );
        last = { given: intent.nodes, id, nodes };
      }
      return { ...intent, nodes: last.nodes };
    },
    async isLost(desired, observed) {
      const wanted = sendingKeys(desired, node);
      if (wanted.length === 0) return false;
      const there = new Set(sendingPlaces(observed));
      const missing = wanted.filter(({ place }) => !there.has(place));
      if (missing.length === 0) return false;
      const { used } = await helper.keys();
      return missing.some(({ id }) => used[id] !== undefined);
    },
  };
}

function sendingKeys({ xfrm, macsec }: NodeState, node: string) {
  const associations = xfrm.associations.flatMap((entry) =>
    entry.key?.from === node
      ? [{ id: sendingKeyId(entry.key), place: associationPlace(entry) }]
      : [],
  );
  const sends = macsec.flatMap((device) =>
    (device.sends ?? []).flatMap(({ key, keyId }) =>
      key === undefined ? [] : [{ id: sendingKeyId(key), place: `${device.dev} ${keyId}` }],
    ),
  );
  return [...associations, ...sends];
}

function sendingPlaces({ xfrm, macsec }: NodeState): readonly string[] {
  return [
    ...xfrm.associations.map(associationPlace),
    ...macsec.flatMap(({ dev, sends = [] }) => sends.map(({ keyId }) => `${dev} ${keyId}`)),
  ];
}

function associationPlace(entry: NodeState['xfrm']['associations'][number]): string {
  return `${entry.source} ${entry.destination} ${entry.spi}`;
}
