import { setTimeout as delay } from 'node:timers/promises';
import { segmentResource } from '@tapline/resources';
import { eventually } from '@tapline/testing';
import { startSegmentSystem } from '../../tests/support/segment-system.ts';
import { type BenchmarkRow, benchmarkRow } from '../result.ts';

const rounds = 5;
/** After a segment stands, nodes look once more at what they have: another user comes later. */
const restMs = 2000;
const nodes = { n1: 'role=origin', n2: 'role=telemetry', n3: 'role=telemetry' };

/**
 * From one `tapline apply` to an overlay that stands on all nodes, every process started for real, and
 * all of them the bundle that `./tapline` runs.
 */
export async function wholeRows(): Promise<readonly BenchmarkRow[]> {
  await using system = await startSegmentSystem(nodes);
  await system.apply('parent', manifest('bench', 'prefix: 10.64.0.0/12\n  vnis: { size: 4096 }'));
  const rows: BenchmarkRow[] = [];
  for (const underlay of ['none', 'wireguard']) {
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const name = `${underlay}-${round}`;
      const text = manifest(
        name,
        `parent: bench
  prefixLength: 24
  encryption: { underlay: ${underlay}, link: none }
  ports:
    - { select: role=origin, type: promiscuous }
    - { select: role=telemetry, type: isolated }`,
      );
      await delay(restMs);
      const start = performance.now();
      await system.apply(name, text);
      await eventually(`${name} stands`, async () => {
        const { status } = await system.client.get(segmentResource, name);
        return status?.state === 'Ready' && status.nodes?.desired === Object.keys(nodes).length;
      });
      times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    rows.push(
      benchmarkRow({
        metric: `apply until the overlay stands on 3 nodes, underlay ${underlay}`,
        unit: 's',
        better: 'lower',
        ours: (times[rounds >> 1] ?? Number.NaN) / 1000,
        peers: {},
        goal: 1,
        goalOn: 'ours',
        note: `median of ${rounds}, with the start of the command; slowest ${Math.round(times.at(-1) ?? 0)} ms`,
      }),
    );
  }
  return rows;
}

function manifest(name: string, spec: string): string {
  return `apiVersion: tapline.dev/v1alpha1
kind: Segment
metadata: { name: ${name} }
spec:
  ${spec}
`;
}
