import type { FabricIntent, SegmentIntent } from '../intent/segment-intent.ts';
import type { GuardRule, UnderlayGuard } from '../state/node-state.ts';
import { guardProgram } from './guard-program.ts';

/** The device with the node's underlay address, and where among its filters ours goes. */
export interface UnderlayDevice {
  readonly name: string;
  /** Whether its packets begin with an Ethernet header. */
  readonly ethernet: boolean;
  readonly preference: number;
}

type Ranges = GuardRule['vnis'];

/** As many as a program of 4,096 instructions (BPF_MAXINSNS) holds. */
export const mostGuardedRanges = 700;

/**
 * A second layer behind the table of the family inet, for segments inside WireGuard: their VXLAN
 * packets never come in from the underlay as they are. Those of IPsec do, where the kernel decrypts
 * before it filters (GRO of ESP); they have their policies as a second layer. Undefined where there
 * is none.
 */
export function underlayGuard(
  { name, ethernet, preference }: UnderlayDevice,
  options: {
    readonly intent: Pick<FabricIntent, 'vxlanPort'>;
    readonly segments: readonly SegmentIntent[];
    /** VNIs of others on the same port, who are not to notice. */
    readonly taken: ReadonlyMap<number, string>;
  },
): UnderlayGuard | undefined {
  const { intent, segments, taken } = options;
  const guarded = segments.filter(({ encryption }) => encryption.underlay === 'wireguard');
  if (guarded.length === 0) return undefined;
  const open = segments.filter(({ encryption }) => encryption.underlay !== 'wireguard');
  const others = [...open.map(({ vni }) => vni), ...taken.keys()];
  const vnis = rangesOf(
    guarded.map(({ vni }) => vni),
    others,
  );
  const rule = { ethernet, vxlanPort: intent.vxlanPort, vnis };
  return { dev: name, preference, program: guardProgram(rule), rule };
}

/**
 * Where a program cannot hold each range on its own, those go together that have nobody else's VNI
 * between them. What is still too many has the table alone.
 */
function rangesOf(guarded: readonly number[], others: readonly number[]): Ranges {
  const exact = joined(guarded, (last, next) => next === last + 1);
  if (exact.length <= mostGuardedRanges) return exact;
  const sorted = others.toSorted((a, b) => a - b);
  const wide = joined(guarded, (last, next) => {
    const after = sorted.find((vni) => vni > last);
    return after === undefined || after > next;
  });
  return wide.slice(0, mostGuardedRanges);
}

function joined(vnis: readonly number[], join: (last: number, next: number) => boolean): Ranges {
  const ranges: [number, number][] = [];
  for (const vni of new Set(vnis.toSorted((a, b) => a - b))) {
    const range = ranges.at(-1);
    if (range !== undefined && join(range[1], vni)) range[1] = vni;
    else ranges.push([vni, vni]);
  }
  return ranges;
}
