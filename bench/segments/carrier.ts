import { type BenchmarkRow, benchmarkRow } from '../result.ts';
import { benchNode, manySegments } from './bench-node.ts';
import { settledMemory } from './settled-memory.ts';

const count = 100_000;
const changes = 20;

/** Very many VNIs on the one device of a node, and then one of them changed. */
export async function carrierRows(): Promise<readonly BenchmarkRow[]> {
  // Every other VNI, so that none can be put together with its neighbour.
  const intent = manySegments(count, { ports: 2, every: 2 });
  await using node = benchNode('carrier', { layout: 'carrier' });
  // What was taken down before is given back for a while, and would count as less than nothing.
  const before = await settledMemory();
  const start = performance.now();
  const outcome = await node.fabric.apply(intent);
  const oursMs = performance.now() - start;
  const bytes = (await settledMemory()) - before;
  if (outcome.state !== 'converged')
    throw new Error(`not converged: ${outcome.conditions[0]?.message}`);
  const times: number[] = [];
  let current = intent;
  for (let index = 0; index < changes; index += 1) {
    const segments = [...current.segments];
    const at = 1000 * index;
    const segment = segments[at];
    if (segment === undefined) break;
    // One segment leaves and the same subnet comes with a VNI that was free.
    segments[at] = { ...segment, name: `${segment.name}x`, vni: segment.vni + 1 };
    current = { ...current, segments };
    const from = performance.now();
    const { operations, state } = await node.fabric.apply(current);
    times.push(performance.now() - from);
    if (state !== 'converged' || operations === 0) throw new Error(`change ${index} did nothing`);
  }
  times.sort((a, b) => a - b);
  return [
    benchmarkRow({
      metric: `${count} VNIs on one device of a node`,
      unit: 's',
      better: 'lower',
      ours: oursMs / 1000,
      peers: {},
      goal: 15,
      goalOn: 'ours',
      note: `of it, plan ${Math.round(outcome.timings.planMs)} ms, kernel ${Math.round(outcome.timings.applyMs)} ms`,
    }),
    benchmarkRow({
      metric: 'memory of the kernel for each of them',
      unit: 'kB',
      better: 'lower',
      ours: bytes / count / 1000,
      peers: {},
      goal: 3,
      goalOn: 'ours',
      note: 'slab that is not given back, per-CPU and vmalloc: VNI, flood entry and guard; before and after it was waited until they stayed the same',
    }),
    benchmarkRow({
      metric: `change of one segment among ${count}, median of ${changes}`,
      unit: 'ms',
      better: 'lower',
      ours: times[Math.floor(times.length / 2)] ?? Number.NaN,
      peers: {},
      goal: 50,
      goalOn: 'ours',
    }),
  ];
}
