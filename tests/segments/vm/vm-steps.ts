import { magic, trafficClasses } from '../support/traffic-classes.ts';
import type { TestEnd } from '../support/traffic-classes.ts';

export interface VmStep {
  readonly name: string;
  readonly shell?: string;
  readonly send?: readonly (readonly [number, string])[];
  readonly stream?: {
    readonly from: number;
    readonly to: number;
    readonly frame: string;
    readonly shell: readonly string[];
  };
}

export interface VmAnswer {
  readonly name: string;
  readonly status?: number;
  readonly statuses?: readonly number[];
  readonly seen?: readonly (readonly [number, string])[];
  readonly sent?: number;
  readonly arrived?: number;
  readonly wire: Readonly<Record<string, number>>;
}

/** One frame of the class between every pair, or from everyone to all. */
export function matrixStep(name: string, ends: readonly TestEnd[]): VmStep {
  const traffic = trafficClasses.find((item) => item.name === name);
  if (traffic === undefined) throw new Error(`no traffic ${name}`);
  const send = ends.flatMap((from, number) => {
    const others = ends.filter((end) => end !== from);
    return (traffic.flooded ? others.slice(0, 1) : others).map((to) => {
      const mark = `${magic}${hex(from.intent.index)}${hex(traffic.flooded ? 0 : to.intent.index)}`;
      return [number, traffic.frame(from, to, { mark, liar: from })] as const;
    });
  });
  return { name, send };
}

/** Who reached whom, as `policyMatrix` writes it. */
export function matrixOf({ seen = [] }: VmAnswer, ends: readonly TestEnd[]): readonly string[] {
  const cells = seen.map(([port, mark]) => {
    const from = Number.parseInt(mark.slice(0, 4), 16);
    const to = Number.parseInt(mark.slice(4), 16);
    const here = ends[port]?.intent.index ?? 0;
    return to === 0 || to === here ? `${from}>${here}` : `${from}>${here} (for ${to})`;
  });
  return [...new Set(cells)].toSorted();
}

/** Frames that are counted, from one port to another, while scripts run one after the other. */
export function streamStep(
  name: string,
  options: {
    readonly ends: readonly TestEnd[];
    readonly from: number;
    readonly to: number;
    readonly shell: readonly string[];
  },
): VmStep {
  const { ends, from, to, shell } = options;
  const [source, target] = [ends[from], ends[to]];
  if (source === undefined || target === undefined) throw new Error('no ports');
  const addresses = `${target.mac}${source.mac}`.replaceAll(':', '');
  return {
    name,
    stream: { from, to, frame: `${addresses}88b5${magic}@${'00'.repeat(46)}`, shell },
  };
}

function hex(index: number): string {
  return index.toString(16).padStart(4, '0');
}
