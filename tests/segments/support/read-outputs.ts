import {
  filterBatch,
  type NodeOutputs,
  observationCommands,
} from '../../../packages/segments/src/index.ts';
import type { Namespace } from './open-namespace.ts';

/** Runs the real programs in a namespace and returns what they print. */
export function readOutputs(namespace: Namespace): NodeOutputs {
  const printed = Object.fromEntries(
    Object.entries(observationCommands).map(([key, words]) => [
      key,
      namespace.tryRun(words.join(' ')),
    ]),
  ) as Record<keyof typeof observationCommands, string>;
  const batch = filterBatch(printed.qdiscs);
  return { ...printed, filters: batch === '' ? '' : namespace.run('tc -j -batch -', batch) };
}
