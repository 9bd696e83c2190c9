import type { Receipt } from './frame-peer.ts';
import type { Probe } from './all-frames.ts';
import { reaches, type Workload } from './start-fabrics.ts';

export interface Judgement {
  /** Cells where policy and packets agree. */
  readonly agreed: number;
  readonly forbidden: readonly string[];
  readonly missing: readonly string[];
}

/** Compares who got what with the policy, cell by cell: one for each kind, sender and receiver. */
export function judgeMatrix(
  all: readonly Workload[],
  probes: readonly Probe[],
  receipts: readonly Receipt[],
): Judgement {
  const byName = new Map(all.map((workload) => [workload.name, workload]));
  const byId = new Map(probes.map((probe) => [probe.id, probe]));
  const got = new Set<string>();
  const forbidden: string[] = [];
  for (const { id, receiver } of receipts) {
    const to = byName.get(receiver);
    if (to === undefined) continue;
    if (id < 0) {
      const speaker = all.find(({ ip }) => ipNumber(ip) === -id);
      if (speaker === undefined) continue;
      // An answer that speaks for somebody: the bridge's, or its own.
      if (!reaches(to, speaker)) forbidden.push(`arp answer for ${speaker.name} at ${receiver}`);
      got.add(`arp ${receiver} ${speaker.name}`);
      continue;
    }
    const probe = byId.get(id);
    const from = probe && byName.get(probe.from);
    if (probe === undefined || from === undefined) continue;
    if (!reaches(from, to)) forbidden.push(`${probe.kind} ${probe.from} → ${receiver}`);
    if (probe.to === undefined || probe.to === receiver) {
      got.add(`${probe.kind} ${probe.from} ${receiver}`);
    }
  }
  let agreed = 0;
  const missing: string[] = [];
  for (const { kind, from, to } of probes) {
    const sender = byName.get(from);
    for (const receiver of to === undefined ? all : all.filter(({ name }) => name === to)) {
      if (sender === undefined || sender === receiver) continue;
      const there = got.has(`${kind} ${from} ${receiver.name}`);
      if (there === reaches(sender, receiver)) agreed += 1;
      else if (!there) missing.push(`${kind} ${from} → ${receiver.name}`);
    }
  }
  return { agreed, forbidden: [...new Set(forbidden)], missing };
}

export function ipNumber(ip: string): number {
  return ip.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
}
