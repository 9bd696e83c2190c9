import type { IpsecOperation } from '../encryption/ipsec-operation.ts';
import type { MacsecOperation } from '../encryption/macsec-operation.ts';
import type {
  ArrivalMark,
  EgressFilter,
  FdbEntry,
  GuardRule,
  LinkAddress,
  LinkState,
  Neighbour,
  PortEnd,
  PortVlan,
  RouteState,
  VlanTunnel,
  VniRange,
  WireguardState,
} from '../state/node-state.ts';

/** One change to a node's kernel, as data. `render-operation.ts` says which command it is. */
export type Operation =
  | IpsecOperation
  | MacsecOperation
  /** Adds a device, down, with a port's other end where it is a veth. */
  | { readonly kind: 'link-add'; readonly link: LinkState; readonly end?: PortEnd }
  | { readonly kind: 'link-set'; readonly name: string; readonly change: LinkChange }
  | { readonly kind: 'link-up'; readonly name: string }
  | { readonly kind: 'link-delete'; readonly name: string }
  /** Takes an interface that is not ours out of a segment's bridge. */
  | { readonly kind: 'link-release'; readonly name: string }
  /** Gives a workload's end its addresses and brings it up. */
  | { readonly kind: 'end-place'; readonly end: PortEnd }
  /** `bridged`: the device's bridge has the MAC there, too. */
  | { readonly kind: 'fdb-add'; readonly entry: FdbEntry; readonly bridged?: true }
  | { readonly kind: 'fdb-delete'; readonly entry: FdbEntry }
  | { readonly kind: 'neighbour-add'; readonly neighbour: Neighbour }
  | { readonly kind: 'neighbour-delete'; readonly neighbour: Neighbour }
  | { readonly kind: 'egress-set'; readonly filter: EgressFilter }
  /** Replaces the filter at the ingress of the underlay's device. */
  | { readonly kind: 'underlay-guard-set'; readonly guard: GuardPlace; readonly rule: GuardRule }
  | { readonly kind: 'underlay-guard-delete'; readonly guard: GuardPlace }
  /** Removes a filter of whatever kind that is not ours. */
  | {
      readonly kind: 'filter-delete';
      readonly dev: string;
      readonly direction: 'ingress' | 'egress';
      readonly preference: number;
    }
  /** Replaces the tables with all rules, in one transaction with the elements that follow. */
  | { readonly kind: 'tables-install'; readonly vxlanPort: number }
  | { readonly kind: 'tables-delete' }
  | {
      readonly kind: 'elements-add' | 'elements-delete';
      /** Of {@link nftSets}. */
      readonly set: string;
      readonly elements: readonly unknown[];
    }
  | { readonly kind: 'address-add' | 'address-delete'; readonly address: LinkAddress }
  | { readonly kind: 'route-add' | 'route-delete'; readonly route: RouteState }
  | { readonly kind: 'vni-add' | 'vni-delete'; readonly range: VniRange }
  /** A VLAN of a bridge's port. */
  | { readonly kind: 'vlan-add' | 'vlan-delete'; readonly member: PortVlan }
  /** Which VNI a VLAN has in a VXLAN device. */
  | { readonly kind: 'tunnel-add' | 'tunnel-delete'; readonly tunnel: VlanTunnel }
  /** Gives a VXLAN device of many VNIs a place for filters. */
  | { readonly kind: 'hook-add'; readonly dev: string }
  | { readonly kind: 'arrival-add' | 'arrival-delete'; readonly arrival: ArrivalMark }
  | {
      readonly kind: 'wireguard-set';
      readonly device: WireguardState;
      /** Public keys of peers that go. */
      readonly removed: readonly string[];
    };

/** A filter of the underlay's device, and whether the device has a place for filters already. */
export interface GuardPlace {
  readonly dev: string;
  readonly preference: number;
  readonly hooked: boolean;
}

/** What of a device is changed. */
export interface LinkChange {
  readonly mtu?: number;
  readonly mac?: string;
  readonly master?: string;
  readonly mcastSnooping?: boolean;
  readonly vlanFiltering?: boolean;
  readonly bridgePort?: NonNullable<LinkState['bridgePort']>;
}
