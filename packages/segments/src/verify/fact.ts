import type { ClaimedPort } from './claim-index.ts';
import type { Reason } from './frame.ts';
import type { NodeModel } from './node-model.ts';

/**
 * A place where frames of one group of a segment can be: in a bridge of a node, with a mark, having
 * come in by an interface. Interfaces that no rule tells apart are one.
 */
export interface Fact {
  readonly group: number;
  readonly node: NodeModel;
  readonly bridge: string;
  /** Of the bridge; {@link noVlan} where it has none. */
  readonly vlan: number;
  /** One of the interfaces; all ports of the group where there is no VXLAN device. */
  readonly from: string;
  /** The ports whose frames are here from the start; none where they came from another node. */
  readonly ports: ClaimedPort[];
  readonly mark: number | undefined;
  readonly by: Reason | undefined;
  readonly origin: Origin | undefined;
  /** Ports of the claim that its frames reach. */
  readonly reached: Set<ClaimedPort>;
}

/** How frames came here from another node. */
export interface Origin {
  readonly fact: Fact;
  readonly device: string;
  readonly vni: number;
  readonly gbp: number | undefined;
  readonly destination: string;
  readonly sentBy: Reason | undefined;
  readonly acceptedBy: Reason | undefined;
}
