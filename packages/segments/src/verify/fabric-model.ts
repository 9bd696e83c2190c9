import type { NodeState } from '../state/node-state.ts';
import type { ClaimIndex } from './claim-index.ts';
import { NodeModel } from './node-model.ts';

/** Whose an address is; the device is '?' where the node does not show it. */
interface Owner {
  readonly node: string;
  readonly device: string;
}

/** All observed nodes, and which of them has an address. Models are made when they are asked for. */
export class FabricModel {
  readonly index: ClaimIndex;
  readonly #states: Map<string, NodeState>;
  readonly #models = new Map<string, NodeModel>();
  /** Models of nodes as they were: rules that are the same object need not be read again. */
  readonly #former = new Map<string, NodeModel>();
  /** By address: the device of each node that has it. */
  readonly #owners = new Map<string, Map<string, string>>();

  constructor(index: ClaimIndex, states: ReadonlyMap<string, NodeState>) {
    this.index = index;
    this.#states = new Map(states);
    for (const [name, state] of states) this.#own(name, state);
  }

  get size(): number {
    return this.#states.size;
  }

  get states(): ReadonlyMap<string, NodeState> {
    return this.#states;
  }

  node(name: string): NodeModel | undefined {
    const known = this.#models.get(name);
    const state = this.#states.get(name);
    if (known !== undefined || state === undefined) return known;
    const model = new NodeModel(name, state, this.#former.get(name));
    this.#models.set(name, model);
    return model;
  }

  /** Returns whether another node may be the owner of an address than before. */
  set(name: string, state: NodeState | undefined): boolean {
    const before = this.#states.get(name);
    const model = this.#models.get(name);
    if (model !== undefined) this.#former.set(name, model);
    this.#models.delete(name);
    if (state === undefined) this.#states.delete(name);
    else this.#states.set(name, state);
    if (sameAddresses(before, state)) return false;
    for (const { address } of before?.addresses ?? []) this.#owners.get(address)?.delete(name);
    this.#own(name, state);
    return true;
  }

  /**
   * By what nodes have; else by the claim. Where several have it, it is the claim's if that is one of
   * them, and else the first by name, so that it does not matter who was observed when.
   */
  ownerOf(address: string): Owner | undefined {
    const claimed = this.index.addresses.get(address);
    const owners = this.#owners.get(address);
    if (owners === undefined || owners.size === 0) {
      return claimed === undefined ? undefined : { node: claimed, device: '?' };
    }
    const [first = ''] = owners.size === 1 ? owners.keys() : [...owners.keys()].toSorted();
    const node = claimed !== undefined && owners.has(claimed) ? claimed : first;
    return { node, device: owners.get(node) ?? '?' };
  }

  #own(name: string, state: NodeState | undefined): void {
    for (const { address, dev } of state?.addresses ?? []) {
      const owners = this.#owners.get(address);
      if (owners === undefined) this.#owners.set(address, new Map([[name, dev]]));
      else owners.set(name, dev);
    }
  }
}

function sameAddresses(a: NodeState | undefined, b: NodeState | undefined): boolean {
  const [left, right] = [a, b].map((state) => state?.addresses ?? []);
  return (
    left !== undefined &&
    left.length === right?.length &&
    left.every(({ address, dev }, at) => address === right[at]?.address && dev === right[at].dev)
  );
}
