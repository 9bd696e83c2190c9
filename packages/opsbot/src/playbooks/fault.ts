import type { OpsTarget, Playbook } from '@tapline/resources';
import { graphKey } from '../graph/dependencies.ts';
import type { Fleet } from '../fleet.ts';
import type { BookEntry, SignalBook } from '../signals/signal-book.ts';
import { matchPlaybook } from './match-playbook.ts';

/** Something that a playbook is there for, and all that says so. */
export interface Fault {
  readonly playbook: Playbook;
  readonly target: OpsTarget;
  /** The oldest first, by our clock; then by key. */
  readonly evidence: readonly BookEntry[];
}

/** `PLAYBOOK/KIND/NAME`. */
export function faultKey(playbook: string, target: OpsTarget): string {
  return `${playbook}/${graphKey(target)}`;
}

/** Every fault that stands, by key. */
export function faultsOf(
  book: SignalBook,
  playbooks: readonly Playbook[],
  fleet: Fleet,
): ReadonlyMap<string, Fault> {
  const faults = new Map<
    string,
    { playbook: Playbook; target: OpsTarget; evidence: BookEntry[] }
  >();
  for (const entry of book.values()) {
    for (const playbook of playbooks) {
      const target = matchPlaybook(playbook, entry.signal, fleet);
      if (target === undefined) continue;
      const key = faultKey(playbook.metadata.name, target);
      const known = faults.get(key);
      if (known === undefined) faults.set(key, { playbook, target, evidence: [entry] });
      else known.evidence.push(entry);
    }
  }
  for (const fault of faults.values()) {
    fault.evidence.sort(
      (a, b) => a.standsMs - b.standsMs || (a.signal.key < b.signal.key ? -1 : 1),
    );
  }
  return faults;
}
