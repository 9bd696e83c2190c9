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
  try {
    return await observeOnce(helper);
  } catch {
    return await observeOnce(helper);
  }
}

async function observeOnce(helper: FabricHelper): Promise<NodeState> {
  const outputs = await helper.read(readings);
  const { routes = '', ...rest } = outputs;
  return { ...observeNode(rest as unknown as NodeOutputs), routes: readRoutes(routes) };
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
