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
const streams = ['devices/file', 'devices/upload', 'installs/exec', 'installs/log', 'nodes/state'];
const explanations = ['deliveries/explain', 'installs/explain', 'segments/explain'];
const ownKinds = taplineResources.filter(({ group }) => group === 'tapline.dev');

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
      { verbs: [...read, ...write], apiGroups: [''], resources: ['events'] },
      { verbs: read, apiGroups: [''], resources: ['namespaces'] },
      { verbs: read, apiGroups: ['coordination.k8s.io'], resources: ['leases'] },
      { verbs: ['get'], nonResourceURLs: ['/metrics'] },
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
          'nodes',
          'packages',
          'segments',
          'segments/explain',
        ],
      },
      { verbs: read, apiGroups: [''], resources: ['events', 'namespaces'] },
      { verbs: ['get'], nonResourceURLs: ['/metrics'] },
    ],
  },
];
