import type { OpsTarget } from '@tapline/resources';
import type { Fleet } from '../fleet.ts';
import { type Guard, hold, pass } from './guard.ts';

/**
 * Presence is the newest session and nothing else. Icinga is told of it and tells it back later, as of a
 * node that was declared and joined since: what it says of a host is not acted on against it.
 */
export const presence: Guard = ({ target, fleet, evidence }) => {
  const others = evidence.filter(
    ({ signal: { source, topic, state } }) =>
      source !== 'icinga' || topic !== 'host' || state !== 'down',
  );
  const device = deviceOf(target, fleet);
  if (device === undefined || others.length > 0 || evidence.length === 0) {
    return pass('it is not only Icinga that says it is gone');
  }
  const session = fleet.devices.get(device)?.status?.presence;
  if (session === undefined) return hold('it has never connected: it is new rather than gone');
  return session.connected
    ? hold(`its session ${session.epoch} is open since ${session.since}`)
    : pass(`its session ${session.epoch} ended at ${session.since}`);
};

function deviceOf({ kind, name }: OpsTarget, fleet: Fleet): string | undefined {
  if (kind === 'Device') return name;
  return kind === 'Node' ? (fleet.nodes.get(name)?.spec.device ?? name) : undefined;
}
