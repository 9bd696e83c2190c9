import { isDeepStrictEqual } from 'node:util';
import type { FabricIntent } from '@tapline/segments';

/**
 * The intent with the nodes and keys of the one before where they are equal: a fabric takes over what
 * it compiled for the same objects, so that the change of one segment costs one.
 */
export function withSameNodes(
  intent: FabricIntent,
  before: FabricIntent | undefined,
): FabricIntent {
  if (before === undefined) return intent;
  const { keys } = intent;
  return {
    ...intent,
    nodes: isDeepStrictEqual(intent.nodes, before.nodes) ? before.nodes : intent.nodes,
    ...(keys === undefined || before.keys === undefined || !isDeepStrictEqual(keys, before.keys)
      ? {}
      : { keys: before.keys }),
  };
}
