import type { FabricIntent } from '../intent/segment-intent.ts';
import type { NodeState } from '../state/node-state.ts';
import { createVerifier } from './create-verifier.ts';
import type { Verdict } from './verdict.ts';

/**
 * Proves from what the kernels of the nodes have that frames of a fabric's ports go where the policy
 * lets them and nowhere else, or says by which way they do. Nothing of the claim is believed but the
 * policy: who may reach whom. Throws `community_unknown`.
 */
export function verifyFabric(claim: FabricIntent, states: ReadonlyMap<string, NodeState>): Verdict {
  return createVerifier(claim, states).verdict();
}
