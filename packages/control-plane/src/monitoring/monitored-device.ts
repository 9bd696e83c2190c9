import type { MonitoredHost } from '@tapline/monitoring';
import type { Attachment, Device, Install, Node } from '@tapline/resources';
import { deviceChecks, presenceOutcome } from './device-checks.ts';
import { nodeChecks } from './node-checks.ts';

/** Everything that is known of a device. */
export interface DeviceFacts {
  readonly device: Device;
  readonly node: Node | undefined;
  readonly attachments: readonly Attachment[];
  readonly installs: readonly Install[];
}

/** A device as a host of monitoring; a node is one with more checks. */
export function monitoredDevice(
  { device, node, attachments, installs }: DeviceFacts,
  nowMs: number,
): MonitoredHost {
  const { name } = device.metadata;
  const { owner, platform } = device.spec;
  return {
    name,
    title: `${name} (${platform}${owner === undefined ? '' : `, ${owner}`})`,
    kind: node === undefined ? 'device' : 'node',
    outcome: presenceOutcome(device),
    checks: [
      ...deviceChecks(device, { installs, nowMs }),
      ...(node === undefined ? [] : nodeChecks(node, attachments)),
    ],
  };
}
