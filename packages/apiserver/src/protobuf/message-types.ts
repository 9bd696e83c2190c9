/** How a field's bytes are read. Numbers are varints; times are seconds and nanoseconds. */
export type FieldType =
  | 'string'
  | 'strings'
  | 'int'
  | 'bool'
  | 'time'
  | 'micro-time'
  | 'map'
  | { readonly message: MessageType }
  | { readonly messages: MessageType };

/** Fields by number: their name in JSON and their type. */
export type MessageType = Readonly<Record<number, readonly [name: string, type: FieldType]>>;

// From generated.proto of k8s.io/apimachinery and k8s.io/api, as far as kinds served here go.
const ownerReference: MessageType = {
  1: ['kind', 'string'],
  3: ['name', 'string'],
  4: ['uid', 'string'],
  5: ['apiVersion', 'string'],
  6: ['controller', 'bool'],
  7: ['blockOwnerDeletion', 'bool'],
};

/** meta/v1 ObjectMeta, without managedFields: the server keeps those. */
const objectMeta: MessageType = {
  1: ['name', 'string'],
  2: ['generateName', 'string'],
  3: ['namespace', 'string'],
  5: ['uid', 'string'],
  6: ['resourceVersion', 'string'],
  7: ['generation', 'int'],
  8: ['creationTimestamp', 'time'],
  9: ['deletionTimestamp', 'time'],
  10: ['deletionGracePeriodSeconds', 'int'],
  11: ['labels', 'map'],
  12: ['annotations', 'map'],
  13: ['ownerReferences', { messages: ownerReference }],
  14: ['finalizers', 'strings'],
};
const metadata: MessageType[number] = ['metadata', { message: objectMeta }];

const objectReference: MessageType = {
  1: ['kind', 'string'],
  2: ['namespace', 'string'],
  3: ['name', 'string'],
  4: ['uid', 'string'],
  5: ['apiVersion', 'string'],
  6: ['resourceVersion', 'string'],
  7: ['fieldPath', 'string'],
};

const policyRule: MessageType = {
  1: ['verbs', 'strings'],
  2: ['apiGroups', 'strings'],
  3: ['resources', 'strings'],
  4: ['resourceNames', 'strings'],
  5: ['nonResourceURLs', 'strings'],
};

const subject: MessageType = {
  1: ['kind', 'string'],
  2: ['apiGroup', 'string'],
  3: ['name', 'string'],
  4: ['namespace', 'string'],
};

const roleRef: MessageType = {
  1: ['apiGroup', 'string'],
  2: ['kind', 'string'],
  3: ['name', 'string'],
};

const leaseSpec: MessageType = {
  1: ['holderIdentity', 'string'],
  2: ['leaseDurationSeconds', 'int'],
  3: ['acquireTime', 'micro-time'],
  4: ['renewTime', 'micro-time'],
  5: ['leaseTransitions', 'int'],
  6: ['strategy', 'string'],
  7: ['preferredHolder', 'string'],
};

const event: MessageType = {
  1: metadata,
  2: ['involvedObject', { message: objectReference }],
  3: ['reason', 'string'],
  4: ['message', 'string'],
  5: ['source', { message: { 1: ['component', 'string'], 2: ['host', 'string'] } }],
  6: ['firstTimestamp', 'time'],
  7: ['lastTimestamp', 'time'],
  8: ['count', 'int'],
  9: ['type', 'string'],
  10: ['eventTime', 'micro-time'],
  11: ['series', { message: { 1: ['count', 'int'], 2: ['lastObservedTime', 'micro-time'] } }],
  12: ['action', 'string'],
  13: ['related', { message: objectReference }],
  14: ['reportingComponent', 'string'],
  15: ['reportingInstance', 'string'],
};

const accessReviewSpec: MessageType = {
  1: [
    'resourceAttributes',
    {
      message: {
        1: ['namespace', 'string'],
        2: ['verb', 'string'],
        3: ['group', 'string'],
        4: ['version', 'string'],
        5: ['resource', 'string'],
        6: ['subresource', 'string'],
        7: ['name', 'string'],
      },
    },
  ],
  2: ['nonResourceAttributes', { message: { 1: ['path', 'string'], 2: ['verb', 'string'] } }],
};

/** Messages by `apiVersion/kind`: what typed clients of Kubernetes, kubectl among them, send. */
export const messageTypes: Readonly<Record<string, MessageType>> = {
  'v1/Namespace': {
    1: metadata,
    2: ['spec', { message: { 1: ['finalizers', 'strings'] } }],
    3: ['status', { message: { 1: ['phase', 'string'] } }],
  },
  'v1/Event': event,
  'v1/DeleteOptions': {
    1: ['gracePeriodSeconds', 'int'],
    2: ['preconditions', { message: { 1: ['uid', 'string'], 2: ['resourceVersion', 'string'] } }],
    3: ['orphanDependents', 'bool'],
    4: ['propagationPolicy', 'string'],
    5: ['dryRun', 'strings'],
  },
  'coordination.k8s.io/v1/Lease': { 1: metadata, 2: ['spec', { message: leaseSpec }] },
  'rbac.authorization.k8s.io/v1/ClusterRole': {
    1: metadata,
    2: ['rules', { messages: policyRule }],
  },
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': {
    1: metadata,
    2: ['subjects', { messages: subject }],
    3: ['roleRef', { message: roleRef }],
  },
  'authorization.k8s.io/v1/SelfSubjectAccessReview': {
    2: ['spec', { message: accessReviewSpec }],
  },
  'authorization.k8s.io/v1/SelfSubjectRulesReview': {
    2: ['spec', { message: { 1: ['namespace', 'string'] } }],
  },
  'authentication.k8s.io/v1/SelfSubjectReview': {},
};
