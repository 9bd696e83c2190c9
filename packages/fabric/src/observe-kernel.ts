import { isRecord, TaplineError } from '@tapline/base';
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
export async function observeKernel(helper: Pick<FabricHelper, 'read'>): Promise<NodeState> {
  return (await readNode(helper, [])).state;
}

/** The same, with the outputs that it is made from, and these of more readings. */
export async function readNode(
  helper: Pick<FabricHelper, 'read'>,
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
  if (!isWhole(outputs)) {
    const missing = readings.filter((name) => outputs[name] === undefined);
    // What was not looked at must not pass for what is not there.
    throw new TaplineError('program_failed', `the node was read without ${missing.join(', ')}`);
  }
  return { state: { ...observeNode(outputs), routes: readRoutes(outputs.routes) }, outputs };
}

function isWhole(
  outputs: Readonly<Partial<Record<Reading, string>>>,
): outputs is NodeOutputs & { readonly routes: string } {
  return readings.every((name) => outputs[name] !== undefined);
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
