import { compileNode, wholeState } from '../compile/compile-node.ts';
import type { FabricIntent } from '../intent/segment-intent.ts';
import type { NodeState } from '../state/node-state.ts';
import { capable } from './sample-intent.ts';

/** What every node is to have, and the underlay's address, which is the node's own. */
export function compiledStates(intent: FabricIntent): Map<string, NodeState> {
  return new Map(
    intent.nodes.map(({ name, underlay }) => {
      const state = wholeState(compileNode(intent, { node: name, capabilities: capable }));
      const addresses = [...state.addresses, { dev: 'ua', address: underlay, prefixLength: 24 }];
      return [name, { ...state, addresses }];
    }),
  );
}
