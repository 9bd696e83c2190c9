import type { TaplineError } from '@tapline/base';
import { type Device, type Node, type NodeStatus, setCondition } from '@tapline/resources';

/** The conditions of a node; the same array where nothing changed. */
export function nodeConditions(
  node: Node,
  about: {
    readonly device: Device | undefined;
    readonly nodes: readonly Node[];
    /** Why it has no VTEP. */
    readonly problem: TaplineError | undefined;
    readonly nowMs: number;
  },
): NodeStatus['conditions'] {
  const { conditions } = node.status ?? {};
  return setCondition(conditions, { type: 'Ready', ...readiness(node, about) }, about.nowMs);
}

function readiness(
  node: Node,
  { device, nodes, problem }: Parameters<typeof nodeConditions>[1],
): { readonly status: 'True' | 'False'; readonly reason: string; readonly message: string } {
  const address = node.spec.underlay ?? node.status?.underlay?.address;
  const { wireguardKey, capabilities } = node.status ?? {};
  if (problem !== undefined) {
    return { status: 'False', reason: problem.code, message: problem.message };
  }
  if (address === undefined || capabilities === undefined) {
    const message = 'its agent has not said what it can do';
    return { status: 'False', reason: 'Unknown', message };
  }
  const twin = nodes.find(
    (other) =>
      other.metadata.name !== node.metadata.name &&
      ((other.spec.underlay ?? other.status?.underlay?.address) === address ||
        (wireguardKey !== undefined && other.status?.wireguardKey === wireguardKey)),
  );
  if (twin !== undefined) {
    const same = twin.status?.wireguardKey === wireguardKey ? 'WireGuard key' : 'address';
    return {
      status: 'False',
      reason: 'SameAsAnother',
      message: `its ${same} ${same === 'address' ? address : wireguardKey} is also that of node ${twin.metadata.name}`,
    };
  }
  const presence = device?.status?.presence;
  if (presence?.connected !== true) {
    const since = presence === undefined ? '' : ` since ${presence.since}`;
    return { status: 'False', reason: 'Offline', message: `is not connected${since}` };
  }
  return { status: 'True', reason: 'Connected', message: `reached by other nodes at ${address}` };
}
