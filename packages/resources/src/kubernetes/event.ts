import { z } from 'zod';
import type { PlainObject } from '../object-meta.ts';
import type { PlainDefinition } from '../resource-definition.ts';
import { microTimeSchema } from './micro-time.ts';

const reference = z
  .strictObject({
    apiVersion: z.string().max(317).optional(),
    kind: z.string().max(253).optional(),
    namespace: z.string().max(253).optional(),
    name: z.string().max(253).optional(),
    uid: z.string().max(128).optional(),
    resourceVersion: z.string().max(64).optional(),
    fieldPath: z.string().max(1024).optional(),
  })
  .describe('An object, by all that identifies it.');

const time = z.iso.datetime({ offset: true }).nullable();

const body = z.strictObject({
  involvedObject: reference.describe('What the event is about.'),
  related: reference.optional().describe('Another object that has to do with it.'),
  reason: z.string().max(1024).optional().describe('Why, as one CamelCase word.'),
  message: z.string().max(32_768).optional().describe('What happened, as a sentence.'),
  type: z.string().max(64).optional().describe('Normal or Warning.'),
  action: z.string().max(128).optional().describe('What was done about it.'),
  count: z.int().min(0).optional().describe('How often it happened.'),
  firstTimestamp: time.optional().describe('When it first happened.'),
  lastTimestamp: time.optional().describe('When it last happened.'),
  eventTime: microTimeSchema.nullable().optional().describe('When it was first seen.'),
  series: z
    .strictObject({
      count: z.int().min(0).optional(),
      lastObservedTime: microTimeSchema.optional(),
    })
    .optional()
    .describe('Repetitions.'),
  source: z
    .strictObject({
      component: z.string().max(253).optional(),
      host: z.string().max(253).optional(),
    })
    .optional()
    .describe('Who reports it.'),
  reportingComponent: z.string().max(253).optional().describe('Which controller reports it.'),
  reportingInstance: z.string().max(253).optional().describe('Which instance of it.'),
});

export type EventBody = z.infer<typeof body>;
export type Event = PlainObject<EventBody>;

/** core/v1 Event: what happened to an object; `kubectl describe` shows them. */
export const eventResource: PlainDefinition<EventBody> = {
  group: '',
  version: 'v1',
  kind: 'Event',
  plural: 'events',
  singular: 'event',
  shortNames: ['ev'],
  categories: [],
  scope: 'Namespaced',
  description: 'What happened to an object.',
  body,
  selectableFields: [
    'involvedObject.kind',
    'involvedObject.namespace',
    'involvedObject.name',
    'involvedObject.uid',
    'involvedObject.apiVersion',
    'involvedObject.resourceVersion',
    'involvedObject.fieldPath',
    'reason',
    'reportingComponent',
    'source',
    'type',
  ],
  columns: [
    { name: 'Last Seen', type: 'date', jsonPath: '.lastTimestamp', description: 'Last time.' },
    { name: 'Type', type: 'string', jsonPath: '.type', description: 'Normal or Warning.' },
    { name: 'Reason', type: 'string', jsonPath: '.reason', description: 'Why.' },
    { name: 'Kind', type: 'string', jsonPath: '.involvedObject.kind', description: 'Of what.' },
    { name: 'Object', type: 'string', jsonPath: '.involvedObject.name', description: 'Which.' },
    {
      name: 'Count',
      type: 'integer',
      jsonPath: '.count',
      description: 'How often it happened.',
      priority: 1,
    },
    { name: 'Message', type: 'string', jsonPath: '.message', description: 'What happened.' },
  ],
};
