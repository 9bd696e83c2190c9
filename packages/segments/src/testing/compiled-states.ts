import { compileNode, wholeState } from '../compile/compile-node.ts';
import type { NodeLayout } from '../compile/node-layout.ts';
import type { FabricIntent } from '../intent/segment-intent.ts';
import type { NodeState } from '../state/node-state.ts';
import { capable } from './sample-intent.ts';

/**
 * What every node is to have, and the underlay's address, which is the node's own. The bits of
 * `vlans` say which nodes have their segments as VLANs of one bridge.
 */
export function compiledStates(intent: FabricIntent, vlans = 0): Map<string, NodeState> {
  return new Map(
    intent.nodes.map(({ name, underlay }, at) => {
      const layout: NodeLayout = ((vlans >> at) & 1) === 1 ? 'vlans' : 'devices';
      const state = wholeState(compileNode(intent, { node: name, capabilities: capable, layout }));
      const addresses = [...state.addresses, { dev: 'ua', address: underlay, prefixLength: 24 }];
      return [name, { ...state, addresses }];
    }),
  );
}
