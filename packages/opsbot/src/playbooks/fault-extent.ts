import type { Playbook } from '@tapline/resources';
import { type Fleet, objectsOf } from '../fleet.ts';
import { graphKey } from '../graph/dependencies.ts';
import type { Fault } from './fault.ts';
import { isSelected } from './match-playbook.ts';

/** How much of what a playbook is for is in trouble. */
export interface FaultExtent {
  readonly inTrouble: number;
  readonly all: number;
}

/** Counts it once a playbook, for as long as these faults stand. */
export function faultExtents(
  faults: ReadonlyMap<string, Fault>,
  fleet: Fleet,
): (playbook: Playbook) => FaultExtent {
  const known = new Map<string, FaultExtent>();
  return (playbook) => {
    const { name } = playbook.metadata;
    const found = known.get(name);
    if (found !== undefined) return found;
    const { kind } = playbook.spec.target;
    const own = [...faults.values()].filter((fault) => fault.playbook.metadata.name === name);
    const extent = {
      inTrouble: new Set(own.map(({ target }) => graphKey(target))).size,
      all: [...objectsOf(fleet, kind).keys()].filter((one) =>
        isSelected(playbook.spec.target, { kind, name: one }, fleet),
      ).length,
    };
    known.set(name, extent);
    return extent;
  };
}
