import type { StructuralSchema } from './structural-schema.ts';

const text = (description: string): StructuralSchema => ({ type: 'string', description });
const texts = (description: string): StructuralSchema => ({
  type: 'object',
  description,
  additionalProperties: { type: 'string' },
});
const time = (description: string): StructuralSchema => ({
  type: 'string',
  format: 'date-time',
  description,
});

/** Kubernetes's ObjectMeta. List types are those of meta/v1, for server-side apply. */
export const metadataSchema: StructuralSchema = {
  type: 'object',
  description: 'Name, labels and what the server keeps about the object.',
  properties: {
    annotations: texts('What programs note on the object.'),
    creationTimestamp: time('When it was created. Set by the server.'),
    deletionGracePeriodSeconds: {
      type: 'integer',
      format: 'int64',
      description: 'Set by the server.',
    },
    deletionTimestamp: time('When its deletion was asked for. Set by the server.'),
    finalizers: {
      type: 'array',
      description: 'Who has to finish before the object may go.',
      items: { type: 'string' },
      'x-kubernetes-list-type': 'set',
    },
    generateName: text('A prefix; the server appends five random characters.'),
    generation: {
      type: 'integer',
      format: 'int64',
      description: 'Counts changes of what is wanted. Set by the server.',
    },
    labels: texts('What selectors match.'),
    managedFields: {
      type: 'array',
      description: 'Who set which field. Set by the server.',
      items: {
        type: 'object',
        properties: {
          apiVersion: { type: 'string' },
          fieldsType: { type: 'string' },
          fieldsV1: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          manager: { type: 'string' },
          operation: { type: 'string' },
          subresource: { type: 'string' },
          time: { type: 'string', format: 'date-time' },
        },
      },
      'x-kubernetes-list-type': 'atomic',
    },
    name: text('Unique among the objects of the kind, in its namespace if it has one.'),
    namespace: text('Absent on kinds that are not namespaced.'),
    ownerReferences: {
      type: 'array',
      description: 'Objects this one goes with.',
      items: {
        type: 'object',
        required: ['apiVersion', 'kind', 'name', 'uid'],
        properties: {
          apiVersion: { type: 'string' },
          blockOwnerDeletion: { type: 'boolean' },
          controller: { type: 'boolean' },
          kind: { type: 'string' },
          name: { type: 'string' },
          uid: { type: 'string' },
        },
        'x-kubernetes-map-type': 'atomic',
      },
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
    },
    resourceVersion: text('Changes with every write. Set by the server.'),
    selfLink: text('Not used.'),
    uid: text('Unique in space and time. Set by the server.'),
  },
};
