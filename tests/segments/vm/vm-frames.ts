import { magic, type TestEnd, trafficClasses } from '../support/traffic-classes.ts';
import type { Sighting } from './open-vm.ts';

/** One frame of the class between every pair, or from everyone to all. */
export function matrixFrames(
  name: string,
  ends: readonly TestEnd[],
): readonly (readonly [number, string])[] {
  const traffic = trafficClasses.find((item) => item.name === name);
  if (traffic === undefined) throw new Error(`no traffic ${name}`);
  return ends.flatMap((from, number) => {
    const others = ends.filter((end) => end !== from);
    return (traffic.flooded ? others.slice(0, 1) : others).map((to) => {
      const mark = `${magic}${hex(from.intent.index)}${hex(traffic.flooded ? 0 : to.intent.index)}`;
      const liar = others.find((end) => end !== to) ?? to;
      return [number, traffic.frame(from, to, { mark, liar })] as const;
    });
  });
}

/** Who reached whom, as `policyMatrix` writes it. */
export function matrixOf({ seen }: Sighting, ends: readonly TestEnd[]): readonly string[] {
  const cells = seen.map(([port, mark]) => {
    const from = Number.parseInt(mark.slice(0, 4), 16);
    const to = Number.parseInt(mark.slice(4), 16);
    const here = ends[port]?.intent.index ?? 0;
    return to === 0 || to === here ? `${from}>${here}` : `${from}>${here} (for ${to})`;
  });
  return [...new Set(cells)].toSorted();
}

/** A frame from one port to another, its number where `@` is. */
export function numberedFrame(from: TestEnd, to: TestEnd): string {
  const addresses = `${to.mac}${from.mac}`.replaceAll(':', '');
  // IPv4 with the sender's address: nothing else of one may leave.
  return `${addresses}88b5${magic}@${'00'.repeat(46)}`;
}

function hex(index: number): string {
  return index.toString(16).padStart(4, '0');
}
