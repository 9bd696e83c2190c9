import { type PolicyRule, taplineResources } from '@tapline/resources';

export interface BootstrapRole {
  readonly name: string;
  /** Who has it from the start. */
  readonly group: string;
  readonly rules: readonly PolicyRule[];
}

const read = ['get', 'list', 'watch'];
const write = ['create', 'update', 'patch', 'delete', 'deletecollection'];
const own = ['tapline.dev'];

/** Subresources by which devices are reached; a role has those that it names. */
const streams = [
  'devices/file',
  'devices/ping',
  'devices/upload',
  'installs/exec',
  'installs/log',
  'nodes/state',
];
const explanations = ['deliveries/explain', 'installs/explain', 'segments/explain'];
/** Kinds that OpsBot alone writes, in full or in their status. */
const opsKinds = new Set(['incidents', 'opspolicies', 'playbooks', 'remediations']);
const ownKinds = taplineResources.filter(
  ({ group, plural }) => group === 'tapline.dev' && !opsKinds.has(plural),
);

/** The roles that exist from the start, each bound to a group of its name. */
export const bootstrapRoles: readonly BootstrapRole[] = [
  {
    name: 'admin',
    group: 'tapline:admin',
    rules: [
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
      { verbs: ['*'], nonResourceURLs: ['*'] },
    ],
  },
  {
    name: 'operator',
    group: 'tapline:operator',
    rules: [
      {
        verbs: [...read, ...write],
        apiGroups: own,
        // Not `*`: that would be the ports of devices, too, which are forwarder's.
        resources: [
          ...ownKinds.flatMap(({ plural }) => [plural, `${plural}/status`, `${plural}/scale`]),
          ...streams,
          ...explanations,
        ],
      },
      { verbs: read, apiGroups: own, resources: [...opsKinds] },
      { verbs: write, apiGroups: own, resources: ['playbooks', 'opspolicies'] },
      { verbs: ['create', 'delete'], apiGroups: own, resources: ['remediations'] },
      { verbs: [...read, ...write], apiGroups: [''], resources: ['events'] },
      { verbs: read, apiGroups: [''], resources: ['namespaces'] },
      { verbs: read, apiGroups: ['coordination.k8s.io'], resources: ['leases'] },
      { verbs: ['get'], nonResourceURLs: ['/metrics'] },
    ],
  },
  {
    // Of people who approve what OpsBot would do; a program that has it cannot, either.
    name: 'approver',
    group: 'tapline:approver',
    rules: [
      { verbs: read, apiGroups: own, resources: [...opsKinds] },
      { verbs: ['create'], apiGroups: own, resources: ['remediations/approve'] },
    ],
  },
  {
    // Of assistants and scripts: they look, plan and ask, and change nothing by themselves.
    name: 'tool',
    group: 'tapline:tool',
    rules: [
      {
        verbs: read,
        apiGroups: own,
        resources: [
          ...opsKinds,
          ...ownKinds.map(({ plural }) => plural).filter((one) => one !== 'tokens'),
        ],
      },
      { verbs: ['get'], apiGroups: own, resources: explanations },
      { verbs: ['create'], apiGroups: own, resources: ['remediations'] },
      { verbs: read, apiGroups: [''], resources: ['events'] },
    ],
  },
  {
    // Of replicas of OpsBot that run elsewhere than in a control plane.
    name: 'opsbot',
    group: 'tapline:opsbot',
    rules: [
      {
        verbs: ['*'],
        apiGroups: own,
        resources: [...opsKinds].flatMap((plural) => [plural, `${plural}/status`]),
      },
      {
        verbs: [...read, 'create', 'update', 'delete'],
        apiGroups: own,
        resources: [
          'allocations',
          'attachments',
          'channels',
          'deliveries',
          'devices',
          'installs',
          'nodes',
          'segments',
          'workloads',
        ],
      },
      { verbs: [...read, ...write], apiGroups: [''], resources: ['events'] },
      { verbs: [...read, ...write], apiGroups: ['coordination.k8s.io'], resources: ['leases'] },
    ],
  },
  {
    // Of an Alertmanager that tells OpsBot of alerts.
    name: 'alertmanager',
    group: 'tapline:alertmanager',
    rules: [{ verbs: ['notify'], apiGroups: own, resources: ['opspolicies'] }],
  },
  {
    // Of the machines on which Icinga runs `tapline check`.
    name: 'checker',
    group: 'tapline:checker',
    rules: [
      {
        verbs: ['get', 'list'],
        apiGroups: own,
        resources: ['attachments', 'channeledges', 'channels', 'devices', 'nodes', 'segments'],
      },
      { verbs: ['get'], apiGroups: own, resources: ['devices/ping', 'nodes/state'] },
    ],
  },
  {
    name: 'forwarder',
    group: 'tapline:forwarder',
    rules: [
      { verbs: read, apiGroups: own, resources: ['devices'] },
      { verbs: ['create'], apiGroups: own, resources: ['devices/portforward'] },
    ],
  },
  {
    name: 'viewer',
    group: 'tapline:viewer',
    rules: [
      {
        verbs: read,
        apiGroups: own,
        resources: [
          'attachments',
          'deliveries',
          'deliveries/explain',
          'devices',
          'installs',
          'installs/explain',
          'installs/log',
          'incidents',
          'nodes',
          'opspolicies',
          'packages',
          'playbooks',
          'remediations',
          'segments',
          'segments/explain',
        ],
      },
      { verbs: read, apiGroups: [''], resources: ['events', 'namespaces'] },
      { verbs: ['get'], nonResourceURLs: ['/metrics'] },
    ],
  },
];
