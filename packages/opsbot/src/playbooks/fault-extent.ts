import type { OpsTarget, Playbook } from '@tapline/resources';
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
    const all = [...objectsOf(fleet, kind).keys()].filter((one) =>
      isSelected(playbook.spec.target, { kind, name: one }, fleet),
    );
    const absent = isAboutAbsence(playbook) ? all.filter((one) => isAbsent(kind, one, fleet)) : [];
    const inTrouble = new Set([
      ...own.map(({ target }) => graphKey(target)),
      ...absent.map((one) => graphKey({ kind, name: one })),
    ]);
    const extent = { inTrouble: inTrouble.size, all: all.length };
    known.set(name, extent);
    return extent;
  };
}

/** Whether it is there for what is gone. */
function isAboutAbsence({ spec: { on } }: Playbook): boolean {
  return on.icinga?.check === 'host' || on.condition?.reasons?.includes('Offline') === true;
}

/**
 * Sessions end before anybody has said of each what that means: of a storm all are counted, not those
 * of which word has come. A device that never had one is not gone.
 */
function isAbsent(kind: OpsTarget['kind'], name: string, fleet: Fleet): boolean {
  if (kind !== 'Node' && kind !== 'Device') return false;
  const device = kind === 'Node' ? (fleet.nodes.get(name)?.spec.device ?? name) : name;
  return fleet.devices.get(device)?.status?.presence?.connected === false;
}
