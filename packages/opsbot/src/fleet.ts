import type {
  ApiObject,
  Attachment,
  Channel,
  Delivery,
  Device,
  Install,
  Node,
  OpsTarget,
  Segment,
  Workload,
} from '@tapline/resources';

/** What OpsBot knows of what is deployed, by name. */
export interface Fleet {
  readonly devices: ReadonlyMap<string, Device>;
  readonly nodes: ReadonlyMap<string, Node>;
  readonly workloads: ReadonlyMap<string, Workload>;
  readonly channels: ReadonlyMap<string, Channel>;
  readonly segments: ReadonlyMap<string, Segment>;
  readonly attachments: ReadonlyMap<string, Attachment>;
  readonly deliveries: ReadonlyMap<string, Delivery>;
  readonly installs: ReadonlyMap<string, Install>;
}

type FleetObject = Device | Node | Workload | Channel | Segment | Attachment | Delivery | Install;

/** All objects of a kind. */
export function objectsOf(fleet: Fleet, kind: OpsTarget['kind']): ReadonlyMap<string, FleetObject> {
  switch (kind) {
    case 'Device':
      return fleet.devices;
    case 'Node':
      return fleet.nodes;
    case 'Workload':
      return fleet.workloads;
    case 'Channel':
      return fleet.channels;
    case 'Segment':
      return fleet.segments;
    case 'Attachment':
      return fleet.attachments;
    case 'Delivery':
      return fleet.deliveries;
    case 'Install':
      return fleet.installs;
  }
}

export function findTarget(
  fleet: Fleet,
  { kind, name }: OpsTarget,
): ApiObject<unknown, { readonly conditions?: FleetConditions }> | undefined {
  return objectsOf(fleet, kind).get(name);
}

type FleetConditions = NonNullable<Device['status']>['conditions'];

/** `Node edge-1`, as people read it. */
export function targetText({
  kind,
  name,
}: {
  readonly kind: string;
  readonly name: string;
}): string {
  return `${kind} ${name}`;
}
