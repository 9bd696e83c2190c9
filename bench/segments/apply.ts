import type { FabricOutcome } from '@tapline/fabric';
import {
  commandText,
  compileNode,
  emptyState,
  type FabricIntent,
  type NodeCapabilities,
  planNode,
  renderOperation,
  wholeState,
} from '@tapline/segments';
import { type BenchmarkRow, benchmarkRow } from '../result.ts';
import { benchNode, manySegments } from './bench-node.ts';

const count = 1000;
/** The script is that slow that a part of it must do; more devices only make it slower. */
const scripted = 50;

/** A node from nothing to a thousand segments, beside a script with a process for each command. */
export async function applyRows(): Promise<readonly BenchmarkRow[]> {
  const intent = manySegments(count, { ports: 10, every: 1 });
  const rounds = [await applyOnce(intent), await applyOnce(intent), await applyOnce(intent)];
  rounds.sort((a, b) => a.ms - b.ms);
  const [fastest, median = fastest] = rounds;
  if (fastest === undefined || median === undefined) throw new Error('nothing was measured');
  const { ms: oursMs, outcome, capabilities } = median;
  const scriptMs = await runScript(capabilities);
  return [
    benchmarkRow({
      metric: `${count} segments of 10 ports on one node`,
      unit: 's',
      better: 'lower',
      ours: oursMs / 1000,
      peers: { 'a process for each command': ((scriptMs / scripted) * count) / 1000 },
      goal: 1 / 20,
      goalOn: 'ratio',
      note: `the script was run for ${scripted} segments and multiplied`,
    }),
    benchmarkRow({
      metric: `${count} segments of 10 ports on one node, at most 3 s`,
      unit: 's',
      better: 'lower',
      ours: oursMs / 1000,
      peers: {},
      goal: 3,
      goalOn: 'ours',
      note: `median of ${rounds.length}, the fastest ${(fastest.ms / 1000).toFixed(2)} s; of it, plan ${Math.round(outcome.timings.planMs)} ms, kernel ${Math.round(outcome.timings.applyMs)} ms, ${outcome.operations} operations`,
    }),
  ];
}

/** A node that has nothing, and each time another one. */
async function applyOnce(intent: FabricIntent): Promise<{
  readonly ms: number;
  readonly outcome: FabricOutcome;
  readonly capabilities: NodeCapabilities;
}> {
  await using node = benchNode('apply');
  const capabilities = await node.fabric.capabilities();
  const start = performance.now();
  const outcome = await node.fabric.apply(intent);
  const ms = performance.now() - start;
  if (outcome.state !== 'converged')
    throw new Error(`not converged: ${outcome.conditions[0]?.message}`);
  return { ms, outcome, capabilities };
}

/** The same commands, as somebody would write them down: one element, entry or device a command. */
async function runScript(capabilities: NodeCapabilities): Promise<number> {
  const intent = manySegments(scripted, { ports: 10, every: 1 });
  const plan = planNode(wholeState(compileNode(intent, { node: 'n1', capabilities })), emptyState);
  await using node = benchNode('script');
  const commands = plan.flatMap((operation) =>
    renderOperation(operation, { wireguardKeyFile: '' }),
  );
  const tables = plan.filter(({ kind }) => kind === 'tables-install');
  node.run(
    ['nft', '-f', '-'],
    tables
      .flatMap((operation) => renderOperation(operation, { wireguardKeyFile: '' }))
      .map(({ line }) => line)
      .join('\n'),
  );
  const lines = commands
    .filter(({ program }) => program !== 'nft')
    .map(commandText)
    .concat(
      plan.flatMap((operation) =>
        operation.kind === 'elements-add'
          ? operation.elements.map((element) => {
              const [command] = renderOperation(
                { ...operation, elements: [element] },
                { wireguardKeyFile: '' },
              );
              return `nft '${command?.line ?? ''}'`;
            })
          : [],
      ),
    );
  const start = performance.now();
  node.run(['sh', '-e'], `${lines.join('\n')}\n`);
  return performance.now() - start;
}
