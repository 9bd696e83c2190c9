import { errorMessage, isTaplineError } from '@tapline/base';
import type { KubeconfigContext } from '@tapline/client';
import type { NodeState, StateReader } from '@tapline/segments';
import { readText, requestPath } from '../connection/request-path.ts';

/** What kernels have, and which of them could not be asked. */
export interface NodeStates {
  readonly states: ReadonlyMap<string, NodeState>;
  readonly silent: readonly { readonly node: string; readonly why: string }[];
}

/** Nodes asked at once. */
const parallel = 16;

/** Asks each node what its kernel has at this moment, by its agent. */
export async function readNodeStates(
  context: KubeconfigContext,
  nodes: readonly string[],
  options: {
    readonly signal: AbortSignal;
    /** By node; kept between calls, so that only what differs is parsed. */
    readonly readers?: Map<string, StateReader>;
  },
): Promise<NodeStates> {
  const { createStateReader } = await import('@tapline/segments');
  const { readers = new Map<string, StateReader>() } = options;
  const states = new Map<string, NodeState>();
  const silent: { node: string; why: string }[] = [];
  const waiting = [...nodes];
  async function ask(): Promise<void> {
    for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) {
      const path = `/apis/tapline.dev/v1alpha1/nodes/${encodeURIComponent(node)}/state`;
      try {
        const text = await readText(await requestPath(context, path, options));
        const read = readers.get(node) ?? createStateReader();
        readers.set(node, read);
        states.set(node, read(text));
      } catch (error) {
        if (isTaplineError(error, 'interrupted') || isTaplineError(error, 'forbidden')) throw error;
        silent.push({ node, why: errorMessage(error) });
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(parallel, nodes.length) }, ask));
  return { states, silent: silent.toSorted((a, b) => (a.node < b.node ? -1 : 1)) };
}
