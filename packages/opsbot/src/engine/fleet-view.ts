import type { Informer } from '@tapline/reconcile';
import type { ApiObject } from '@tapline/resources';
import type { Fleet } from '../fleet.ts';
import type { OpsInformers } from './ops-informers.ts';

/** The fleet as informers have it; what did not change is not gathered again. */
export function createFleetView(informers: OpsInformers): Disposable & {
  fleet(): Fleet;
} {
  const ends: (() => void)[] = [];
  function follow<T extends ApiObject>(informer: Informer<T>): () => ReadonlyMap<string, T> {
    let known: ReadonlyMap<string, T> | undefined;
    ends.push(informer.onChange(() => (known = undefined)));
    return () => (known ??= new Map(informer.list().map((one) => [one.metadata.name, one])));
  }
  const devices = follow(informers.devices);
  const nodes = follow(informers.nodes);
  const workloads = follow(informers.workloads);
  const channels = follow(informers.channels);
  const segments = follow(informers.segments);
  const attachments = follow(informers.attachments);
  const deliveries = follow(informers.deliveries);
  const installs = follow(informers.installs);
  return {
    fleet: () => ({
      devices: devices(),
      nodes: nodes(),
      workloads: workloads(),
      channels: channels(),
      segments: segments(),
      attachments: attachments(),
      deliveries: deliveries(),
      installs: installs(),
    }),
    [Symbol.dispose]() {
      for (const end of ends) end();
    },
  };
}
