import type {
  Channel,
  Delivery,
  Device,
  Node,
  OpsTarget,
  Playbook,
  PlaybookGuards,
  PlaybookSpec,
  Segment,
  Workload,
} from '@tapline/resources';
import { playbookResource } from '@tapline/resources';
import type { Fleet } from '../fleet.ts';
import type { GuardContext } from '../guards/guard.ts';
import type { Signal } from '../signals/signal.ts';
import { faultExtents } from '../playbooks/fault-extent.ts';
import { faultsOf } from '../playbooks/fault.ts';
import { type BookEntry, nextEntry } from '../signals/signal-book.ts';

const apiVersion = 'tapline.dev/v1alpha1';

export function playbook(
  name: string,
  spec: Omit<Partial<PlaybookSpec>, 'guards' | 'verify'> & {
    readonly guards?: Partial<PlaybookGuards>;
    readonly verify?: Partial<PlaybookSpec['verify']>;
  } = {},
): Playbook {
  const parsed = playbookResource.spec.parse({
    on: { icinga: { check: 'host', states: ['down'] } },
    target: { kind: 'Node' },
    steps: [{ action: 'drain-node' }],
    mode: 'Automatic',
    ...spec,
  });
  return {
    apiVersion,
    kind: 'Playbook',
    metadata: { name, uid: `uid-${name}`, generation: 1 },
    spec: parsed,
  };
}

export function signal(of: Partial<Signal> & { readonly host?: string } = {}): Signal {
  const { host = 'n1', ...rest } = of;
  return {
    source: 'icinga',
    key: `icinga/${host}`,
    targets: [
      { kind: 'Device', name: host },
      { kind: 'Node', name: host },
    ],
    topic: 'host',
    state: 'down',
    says: 'is not connected',
    sinceMs: 1000,
    order: 1000,
    handled: false,
    flapping: false,
    ...rest,
  };
}

/** What is known after these signals, each heard a second after the one before. */
export function bookOf(signals: readonly Signal[], startMs = 0): ReadonlyMap<string, BookEntry> {
  const book = new Map<string, BookEntry>();
  for (const [at, one] of signals.entries()) {
    book.set(one.key, nextEntry(book.get(one.key), one, startMs + at * 1000));
  }
  return book;
}

export interface FleetPlan {
  /** Nodes by name, each with the zone of its device. */
  readonly nodes?: Readonly<Record<string, string>>;
  /** Workloads by name, with the nodes they are ready on. */
  readonly workloads?: Readonly<Record<string, readonly string[]>>;
  readonly labels?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly channels?: readonly Channel[];
  readonly segments?: readonly Segment[];
  readonly deliveries?: readonly Delivery[];
  /** Devices whose session is open; of all others it has ended. */
  readonly present?: readonly string[];
}

export function fleet(plan: FleetPlan = {}): Fleet {
  const { nodes = { n1: 'a', n2: 'a', n3: 'b' }, workloads = {}, labels = {}, present = [] } = plan;
  const names = Object.keys(nodes);
  const meta = (name: string) => ({ name, uid: `uid-${name}`, labels: labels[name] ?? {} });
  const on = (name: string): Record<string, string> =>
    Object.fromEntries(
      Object.entries(workloads)
        .filter(([, places]) => places.includes(name))
        .map(([workload]) => [`workload.tapline.dev/${workload}`, '1']),
    );
  return {
    devices: new Map(
      names.map((name): [string, Device] => [
        name,
        {
          apiVersion,
          kind: 'Device',
          metadata: {
            ...meta(name),
            labels: { zone: nodes[name] ?? '', ...on(name), ...labels[name] },
          },
          spec: { platform: 'linux/amd64', role: 'node' },
          status: {
            presence: {
              connected: present.includes(name),
              epoch: 1,
              since: '2026-01-01T00:00:00Z',
            },
          },
        },
      ]),
    ),
    nodes: new Map(
      names.map((name): [string, Node] => [
        name,
        { apiVersion, kind: 'Node', metadata: meta(name), spec: { device: name } },
      ]),
    ),
    workloads: new Map(
      Object.entries(workloads).map(([name, places]): [string, Workload] => [
        name,
        {
          apiVersion,
          kind: 'Workload',
          metadata: meta(name),
          spec: {
            package: { formula: 'bash' },
            run: { command: ['bash'], restart: 'Always' },
            replicas: places.length,
            resources: { cpus: 0, memoryBytes: 0 },
            moveAfterSeconds: 3,
            atOnce: 1,
          },
          status: {
            counts: { desired: places.length, placed: places.length, ready: places.length },
            placements: places.map((node, at) => ({ node, epoch: at + 1, state: 'Ready' })),
          },
        },
      ]),
    ),
    channels: new Map((plan.channels ?? []).map((one) => [one.metadata.name, one])),
    segments: new Map((plan.segments ?? []).map((one) => [one.metadata.name, one])),
    attachments: new Map(),
    deliveries: new Map((plan.deliveries ?? []).map((one) => [one.metadata.name, one])),
    installs: new Map(),
  };
}

/** Node n1 is down, and everything is as it has to be for something to be done about it. */
export function guardContext(change: Partial<GuardContext> = {}): GuardContext {
  const of = change.playbook ?? playbook('dead-node');
  const seen = change.fleet ?? fleet();
  const book = bookOf([signal()]);
  const target: OpsTarget = change.target ?? { kind: 'Node', name: 'n1' };
  const faults = change.faults ?? faultsOf(book, [of], seen);
  return {
    playbook: of,
    target,
    evidence: [...book.values()],
    policy: { concurrent: 3, perHour: 30, perDay: 200, approvalSeconds: 3600, resets: 0 },
    ledger: {},
    fleet: seen,
    plan: [],
    faults,
    extent: faultExtents(faults, seen),
    live: () => undefined,
    nowMs: Date.UTC(2026, 0, 1),
    monotonicMs: 1000,
    ...change,
  };
}
