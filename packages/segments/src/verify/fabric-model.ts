import type { NodeState } from '../state/node-state.ts';
import type { ClaimIndex } from './claim-index.ts';
import { NodeModel } from './node-model.ts';

/** All observed nodes, and which of them has an address. */
export class FabricModel {
  readonly index: ClaimIndex;
  readonly nodes: Map<string, NodeModel> = new Map();
  readonly #owners = new Map<string, { readonly node: string; readonly device: string }>();

  constructor(index: ClaimIndex, states: ReadonlyMap<string, NodeState>) {
    this.index = index;
    for (const [name, state] of states) this.set(name, state);
  }

  /** Returns which segments may be different from before. */
  set(name: string, state: NodeState | undefined): (vni: number) => boolean {
    const before = this.nodes.get(name);
    for (const { address } of before?.state.addresses ?? []) this.#owners.delete(address);
    for (const { address, dev } of state?.addresses ?? []) {
      this.#owners.set(address, { node: name, device: dev });
    }
    if (state === undefined) this.nodes.delete(name);
    else this.nodes.set(name, new NodeModel(name, state));
    return () => true;
  }

  /**
   * Whose an address is, by what nodes have; else by the claim. The device is '?' where the node
   * does not show it.
   */
  ownerOf(address: string): { readonly node: string; readonly device: string } | undefined {
    const owner = this.#owners.get(address);
    if (owner !== undefined) return owner;
    const node = this.index.addresses.get(address);
    return node === undefined ? undefined : { node, device: '?' };
  }
}
