import { createHash } from 'node:crypto';
import { type Clock, TaplineError } from '@tapline/base';
import type { FabricHelper } from '@tapline/fabric';
import type { InstallSpec } from '@tapline/resources';
import type { SegmentAgent } from './segment-agent.ts';

/** Network namespaces of programs in segments: there before the program, with its interface. */
export interface WorkloadPlaces {
  /**
   * Path of the namespace, once the port is in it. Throws `segment_port_missing` where that takes too
   * long: the segment has no port for it, or does not stand here.
   */
  open(owner: string, segment: NonNullable<InstallSpec['segment']>): Promise<string>;
  close(owner: string): Promise<void>;
}

/** Which namespaces are this agent's. */
export interface WorkloadNamespaces {
  /** Names of Installs are longer than names of namespaces should be. */
  readonly nameOf: (owner: string) => string;
  /** Path of an Install's, by its name; undefined where there is none now. */
  readonly find: (owner: string) => string | undefined;
}

const patienceMs = 10_000;
const lookMs = 20;

export function createWorkloadPlaces(init: {
  readonly helper: Pick<FabricHelper, 'namespace'>;
  readonly namespaces: WorkloadNamespaces;
  readonly agent: Pick<SegmentAgent, 'hasPort' | 'namespaceChanged'>;
  readonly clock: Clock;
}): WorkloadPlaces {
  const { helper, namespaces, agent, clock } = init;
  return {
    async open(owner, { name, labels = {} }) {
      const isNew = namespaces.find(owner) === undefined;
      const path = await helper.namespace('add', namespaces.nameOf(owner));
      // A namespace that was made anew has nothing of what the last one had.
      if (isNew || !agent.hasPort(owner, name)) agent.namespaceChanged(owner);
      const until = clock.monotonic() + patienceMs;
      while (!agent.hasPort(owner, name)) {
        if (clock.monotonic() > until) {
          throw new TaplineError(
            'segment_port_missing',
            `segment ${name} has no port for ${owner} on this node, whose labels are ${JSON.stringify(labels)}`,
            { hint: 'see the rules of the segment in spec.ports, and `tapline explain segment`' },
          );
        }
        await clock.sleep(lookMs);
      }
      return path;
    },
    async close(owner) {
      if (namespaces.find(owner) === undefined) return;
      await helper.namespace('delete', namespaces.nameOf(owner));
      agent.namespaceChanged(owner);
    },
  };
}

/** Two agents on one machine have nothing in common: their state's folder is in the names. */
export function workloadNamespaces(
  dataDirectory: string,
  isNamespace: (path: string) => boolean,
): WorkloadNamespaces {
  function nameOf(owner: string): string {
    const digest = createHash('sha256').update(`${dataDirectory}\0${owner}`).digest('hex');
    return `tapline-${digest.slice(0, 16)}`;
  }
  return {
    nameOf,
    find(owner) {
      const path = `/run/netns/${nameOf(owner)}`;
      return isNamespace(path) ? path : undefined;
    },
  };
}
