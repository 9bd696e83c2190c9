import type { KubeconfigContext, ResourceClient } from '@tapline/client';
import { attachmentResource } from '@tapline/resources';
import type { FabricVerifier, StateReader, Verdict } from '@tapline/segments';
import { type NodeStates, readNodeStates } from './node-states.ts';

/** What was found at one moment. */
export interface FabricLook {
  /** Names of all segments that are on nodes. */
  readonly segments: ReadonlySet<string>;
  readonly verdict: Verdict;
  readonly silent: NodeStates['silent'];
}

/**
 * Each call asks all nodes what their kernels have then. Between calls what was worked out is kept:
 * where a node says the same as before, nothing that depends on it alone is worked out again.
 */
export function fabricWatch(init: {
  readonly client: ResourceClient;
  readonly context: KubeconfigContext;
  readonly signal: AbortSignal;
}): () => Promise<FabricLook> {
  const { client, context, signal } = init;
  const readers = new Map<string, StateReader>();
  let known: { readonly claim: string; readonly verifier: FabricVerifier } | undefined;
  return async () => {
    const { items } = await client.list(attachmentResource, { signal });
    const { claimOf } = await import('@tapline/agent');
    const { createVerifier } = await import('@tapline/segments');
    const claim = claimOf(items);
    const names = claim.nodes.map(({ name }) => name);
    const { states, silent } = await readNodeStates(context, names, { signal, readers });
    const text = JSON.stringify(claim);
    if (known?.claim === text) {
      for (const name of names) known.verifier.update(name, states.get(name));
    } else {
      known = { claim: text, verifier: createVerifier(claim, states) };
    }
    return {
      segments: new Set(items.map(({ spec }) => spec.segment)),
      verdict: known.verifier.verdict(),
      silent,
    };
  };
}
