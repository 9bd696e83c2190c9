import type { Clock, Log, Rng } from '@tapline/base';
import {
  createIcingaClient,
  type IcingaMonitoring,
  type StateChange,
  startIcingaMonitoring,
} from '@tapline/monitoring';
import type { Informers } from '../informers.ts';
import { channelOfWorkload } from '../channel/workload-of-channel.ts';
import { channelHost, monitoredChannel } from './monitored-channel.ts';
import { monitoredDevice } from './monitored-device.ts';
import { monitoredSegment, segmentHost } from './monitored-segment.ts';
import { monitoredWorkload, workloadHost } from './monitored-workload.ts';
import type { IcingaConfiguration } from './monitoring-configuration.ts';
import type { MonitoringMetrics } from './monitoring-metrics.ts';

export interface DeviceMonitoringInit {
  readonly configuration: IcingaConfiguration;
  /** Synced: what is not there would be taken out of Icinga. */
  readonly informers: Pick<
    Informers,
    'devices' | 'nodes' | 'attachments' | 'installs' | 'channels' | 'segments' | 'workloads'
  >;
  readonly metrics: MonitoringMetrics;
  /** What stands otherwise in Icinga, for who acts on it. */
  readonly onChange?: (change: StateChange) => void;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Log;
}

/** How often checks that only time changes are looked at anew. */
const againMs = 600_000;

/** Has every device, node, channel, segment and workload watched by Icinga, from now until disposed. */
export function startDeviceMonitoring(init: DeviceMonitoringInit): IcingaMonitoring {
  const { configuration, informers, metrics, clock, log } = init;
  const { devices, nodes, attachments, installs, channels, segments, workloads } = informers;
  const client = createIcingaClient({ endpoint: configuration.endpoint });
  const monitoring = startIcingaMonitoring({
    ...configuration,
    client,
    clock,
    rng: init.rng,
    log: log.with({ icinga: configuration.endpoint.url }),
    onStep: (kind) => metrics.step(kind),
    onResult: () => metrics.result(),
    onChange(change) {
      metrics.change(change);
      init.onChange?.(change);
    },
  });
  metrics.source(() => monitoring.status());

  function look(name: string): void {
    const device = devices.get(name);
    if (device === undefined) {
      monitoring.set(name, undefined);
      return;
    }
    const [node] = nodes.byIndex('device', name);
    const facts = {
      device,
      node,
      attachments: node === undefined ? [] : attachments.byIndex('node', node.metadata.name),
      installs: installs.byIndex('device', name),
    };
    monitoring.set(name, monitoredDevice(facts, clock.now()));
  }

  function lookAtChannel(name: string): void {
    const channel = channels.get(name);
    monitoring.set(
      channelHost(name),
      channel === undefined ? undefined : monitoredChannel(channel),
    );
  }

  function lookAtSegment(name: string): void {
    const segment = segments.get(name);
    monitoring.set(
      segmentHost(name),
      segment === undefined ? undefined : monitoredSegment(segment),
    );
  }

  function lookAtWorkload(name: string): void {
    const workload = workloads.get(name);
    // What a channel is carried by is watched as the channel.
    const isOwn = workload !== undefined && channelOfWorkload(name) === undefined;
    monitoring.set(workloadHost(name), isOwn ? monitoredWorkload(workload) : undefined);
  }

  const ends = [
    devices.onChange(({ object }) => look(object.metadata.name)),
    nodes.onChange(({ object }) => look(object.spec.device)),
    attachments.onChange(({ object }) => {
      const node = nodes.get(object.spec.node);
      if (node !== undefined) look(node.spec.device);
    }),
    installs.onChange(({ object }) => look(object.spec.device)),
    channels.onChange(({ object }) => lookAtChannel(object.metadata.name)),
    segments.onChange(({ object }) => lookAtSegment(object.metadata.name)),
    workloads.onChange(({ object }) => lookAtWorkload(object.metadata.name)),
  ];
  for (const { metadata } of channels.list()) lookAtChannel(metadata.name);
  for (const { metadata } of segments.list()) lookAtSegment(metadata.name);
  for (const { metadata } of workloads.list()) lookAtWorkload(metadata.name);
  for (const { metadata } of devices.list()) look(metadata.name);
  const stop = new AbortController();
  const looking = lookRegularly();

  async function lookRegularly(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        await clock.sleep(againMs, { signal: stop.signal });
      } catch {
        return;
      }
      for (const { metadata } of devices.list()) look(metadata.name);
    }
  }

  return {
    set: (name, host) => monitoring.set(name, host),
    status: () => monitoring.status(),
    get states() {
      return monitoring.states;
    },
    idle: () => monitoring.idle(),
    async [Symbol.asyncDispose]() {
      for (const end of ends) end();
      stop.abort();
      await looking;
      await monitoring[Symbol.asyncDispose]();
      await client[Symbol.asyncDispose]();
    },
  };
}
