import type { NodeState } from './node-state.ts';

/** A node with nothing. */
export const emptyState: NodeState = {
  links: [],
  fdb: [],
  neighbours: [],
  egress: [],
  foreignFilters: [],
  nft: { tables: [] },
  addresses: [],
  vnis: [],
  vlans: [],
  xfrm: { associations: [], policies: [] },
  wireguard: [],
  macsec: [],
  routes: [],
  ends: [],
};
