import {
  filterBatch,
  type NodeOutputs,
  observationCommands,
} from '../../../packages/segments/src/index.ts';
import type { Namespace } from './open-namespace.ts';

/** Runs the real programs in a namespace and returns what they print. */
export function readOutputs(namespace: Namespace): NodeOutputs {
  return readOutputsOf({
    tryRun: (words) => namespace.tryRun(words.join(' ')),
    run: (words, input) => namespace.run(words.join(' '), input),
  });
}

/** The same by whatever runs programs there; `tryRun` gives '' where one fails. */
export function readOutputsOf(node: {
  readonly tryRun: (words: readonly [string, ...string[]]) => string;
  readonly run: (words: readonly [string, ...string[]], input: string) => string;
}): NodeOutputs {
  const printed = Object.fromEntries(
    Object.entries(observationCommands).map(([key, words]) => [key, node.tryRun(words)]),
  ) as Record<keyof typeof observationCommands, string>;
  const batch = filterBatch(printed.qdiscs);
  const filters = batch === '' ? '' : node.run(['tc', '-j', '-batch', '-'], batch);
  return { ...printed, filters };
}
