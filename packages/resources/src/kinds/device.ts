import { z } from 'zod';
import { conditionsSchema } from '../condition.ts';
import type { ApiObject } from '../object-meta.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import { platformSchema, taplineGroup, taplineVersion } from './common.ts';

/**
 * Annotation of a Device: SHA-256 over the SubjectPublicKeyInfo of its key, base64url. Certificates
 * for other keys are not this device's, though they bear its name.
 */
export const deviceKeyAnnotation = 'tapline.dev/key';

/** Value of that annotation for a device that was revoked: no key has such a fingerprint. */
export const revokedDeviceKey = 'revoked';

const bytes = z.int().min(0);

const spec = z.strictObject({
  platform: platformSchema.describe('What the device runs.'),
  owner: z.string().max(253).optional().describe('Who is responsible for the device.'),
  role: z.enum(['device', 'node']).default('device').describe('What its join token allowed.'),
});

const status = z.strictObject({
  presence: z
    .strictObject({
      connected: z.boolean().describe('Whether its newest session is open.'),
      epoch: z.int().min(0).describe('Number of its newest session.'),
      since: z.iso.datetime({ offset: true }).describe('When that session began or ended.'),
    })
    .optional()
    .describe('Where the newest session stands; nothing else says that a device is there.'),
  agentVersion: z.string().max(64).optional().describe("The agent's version."),
  runtimes: z.array(z.string().max(64)).max(16).optional().describe('How it can run programs.'),
  bootId: z.string().max(64).optional().describe('Changes with each boot.'),
  storage: z
    .strictObject({
      freeBytes: bytes.describe('Free for images, reservations taken off.'),
      reservedBytes: bytes.describe('Reserved by fetches under way.'),
      usedBytes: bytes.describe('Used by images.'),
    })
    .optional()
    .describe('Disk space of its image store.'),
  clockSkewSeconds: z.number().optional().describe("Its clock minus the control plane's."),
  certificateNotAfter: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('End of its certificate.'),
  conditions: conditionsSchema,
});

export type DeviceSpec = z.infer<typeof spec>;
export type DeviceStatus = z.infer<typeof status>;
export type Device = ApiObject<DeviceSpec, DeviceStatus>;

export const deviceResource: ResourceDefinition<DeviceSpec, DeviceStatus> = {
  group: taplineGroup,
  version: taplineVersion,
  kind: 'Device',
  plural: 'devices',
  singular: 'device',
  shortNames: ['dev'],
  categories: ['all', 'tapline'],
  scope: 'Cluster',
  description: 'A device receives packages: an iPad, a laptop, an edge box.',
  spec,
  status,
  selectableFields: [],
  columns: [
    { name: 'Platform', type: 'string', jsonPath: '.spec.platform', description: 'What it runs.' },
    {
      name: 'Connected',
      type: 'boolean',
      jsonPath: '.status.presence.connected',
      description: 'Whether its newest session is open.',
    },
    {
      name: 'Since',
      type: 'date',
      jsonPath: '.status.presence.since',
      description: 'When that session began or ended.',
    },
    {
      name: 'Agent',
      type: 'string',
      jsonPath: '.status.agentVersion',
      description: "The agent's version.",
      priority: 1,
    },
    {
      name: 'Epoch',
      type: 'integer',
      jsonPath: '.status.presence.epoch',
      description: 'Number of its newest session.',
      priority: 1,
    },
    {
      name: 'Free',
      type: 'integer',
      jsonPath: '.status.storage.freeBytes',
      description: 'Free bytes for images.',
      priority: 1,
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Age.' },
  ],
};
