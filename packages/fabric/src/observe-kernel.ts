import { isRecord } from '@tapline/base';
import {
  type NodeOutputs,
  type NodeState,
  observationCommands,
  observeNode,
} from '@tapline/segments';
import type { FabricHelper, Reading } from './fabric-helper.ts';

const readings: readonly Reading[] = [
  ...(Object.keys(observationCommands) as (keyof typeof observationCommands)[]),
  'filters',
  'routes',
];

/** Reads all of a node. Once more where something went away in between. */
export async function observeKernel(helper: FabricHelper): Promise<NodeState> {
  return (await readNode(helper, [])).state;
}

/** The same, with the outputs that it is made from, and these of more readings. */
export async function readNode(
  helper: FabricHelper,
  more: readonly Reading[],
): Promise<{
  readonly state: NodeState;
  readonly outputs: Readonly<Partial<Record<Reading, string>>>;
}> {
  const what = [...new Set([...readings, ...more])];
  try {
    return stateOf(await helper.read(what));
  } catch {
    return stateOf(await helper.read(what));
  }
}

function stateOf(outputs: Readonly<Partial<Record<Reading, string>>>) {
  const { routes = '', ...rest } = outputs;
  const state = observeNode(rest as unknown as NodeOutputs);
  return { state: { ...state, routes: readRoutes(routes) }, outputs };
}

/** The kernel's own routes are for the device's addresses; ours are the others. */
function readRoutes(output: string): NonNullable<NodeState['routes']> {
  if (output.trim() === '') return [];
  const records: unknown = JSON.parse(output);
  return (Array.isArray(records) ? (records as unknown[]) : []).flatMap((entry) =>
    isRecord(entry) && typeof entry['dst'] === 'string' && entry['protocol'] !== 'kernel'
      ? [{ dev: 'tw0', destination: entry['dst'] }]
      : [],
  );
}
