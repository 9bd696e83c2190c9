import { mayReach } from '@tapline/segments';
import type { FrameProbe } from './frame-probe.ts';
import {
  arpAnswer,
  arpRequest,
  magic,
  type TestEnd,
  type TrafficClass,
} from './traffic-classes.ts';

/** Who reaches whom, as `1>2 1>3`, by index of port. */
export type Reachability = readonly string[];

/** On a busy machine a frame through processes of nodes may take seconds. */
const withinMs = 10_000;

/**
 * Sends one class of traffic between every pair of ports and answers who got what. What is `expected`
 * is waited for, and what must not come for a while longer.
 */
export async function measureMatrix(
  probe: FrameProbe,
  ends: readonly TestEnd[],
  traffic: TrafficClass,
  expected: Reachability = [],
): Promise<Reachability> {
  await probe.settle(50);
  for (const [number, from] of ends.entries()) {
    const others = ends.filter((end) => end !== from);
    for (const to of traffic.flooded ? others.slice(0, 1) : others) {
      const liar = others.find((end) => end !== to) ?? to;
      const receiver = traffic.flooded ? 0 : to.intent.index;
      const mark = `${magic}${hex(from.intent.index)}${hex(receiver)}`;
      probe.send(number, Buffer.from(traffic.frame(from, to, { mark, liar }), 'hex'));
    }
  }
  const reached = new Set<string>();
  const until = performance.now() + withinMs;
  do {
    for (const { port, frame } of await probe.settle()) {
      const at = frame.indexOf(magic, 0, 'hex');
      if (at < 0) continue;
      const from = frame.readUInt16BE(at + 4);
      const to = frame.readUInt16BE(at + 6);
      const here = ends[port]?.intent.index;
      // A frame for one port at another is as wrong as one too many.
      reached.add(to === 0 || to === here ? `${from}>${here}` : `${from}>${here} (for ${to})`);
    }
  } while (!expected.every((cell) => reached.has(cell)) && performance.now() < until);
  return [...reached].toSorted();
}

/** Who learns whose MAC by asking; a wrong answer is in the text. */
export async function measureArp(
  probe: FrameProbe,
  ends: readonly TestEnd[],
): Promise<Reachability> {
  await probe.settle(50);
  for (const [number, from] of ends.entries()) {
    for (const to of ends) {
      if (to !== from) probe.send(number, Buffer.from(arpRequest(from, to), 'hex'));
    }
  }
  const reached = new Set<string>();
  for (const { port, frame } of await probe.settle()) {
    const answer = arpAnswer(frame);
    const asker = ends[port];
    if (answer === undefined || asker === undefined) continue;
    const to = ends.find(({ ipv4 }) => ipv4 === answer.ipv4);
    const right = to?.mac === answer.mac;
    reached.add(`${asker.intent.index}>${to?.intent.index}${right ? '' : ` (${answer.mac})`}`);
  }
  return [...reached].toSorted();
}

/** What the policy says, in the same form. */
export function policyMatrix(ends: readonly TestEnd[]): Reachability {
  return ends
    .flatMap((from) =>
      ends
        .filter((to) => to !== from && mayReach(from.intent.role, to.intent.role))
        .map((to) => `${from.intent.index}>${to.intent.index}`),
    )
    .toSorted();
}

function hex(index: number): string {
  return index.toString(16).padStart(4, '0');
}
