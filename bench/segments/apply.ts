import {
  commandText,
  compileNode,
  emptyState,
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
  await using node = benchNode('apply');
  const capabilities = await node.fabric.capabilities();
  const start = performance.now();
  const outcome = await node.fabric.apply(intent);
  const oursMs = performance.now() - start;
  if (outcome.state !== 'converged')
    throw new Error(`not converged: ${outcome.conditions[0]?.message}`);
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
      note: `of it, plan ${Math.round(outcome.timings.planMs)} ms, kernel ${Math.round(outcome.timings.applyMs)} ms, ${outcome.operations} operations`,
    }),
  ];
}

/** The same commands, as somebody would write them down: one element, entry or device a command. */
async function runScript(
  capabilities: Parameters<typeof compileNode>[1]['capabilities'],
): Promise<number> {
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
