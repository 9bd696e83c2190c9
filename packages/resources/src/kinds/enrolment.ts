import { z } from 'zod';
import { conditionsSchema } from '../condition.ts';
import type { ApiObject } from '../object-meta.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import { errorSchema, taplineGroup, taplineVersion } from './common.ts';

const host = z.string().min(1).max(253);
const url = z.string().min(1).max(2048);
const payloadId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,99}$/)
  .describe('Names it within the profile, and must not change.');
const identity = payloadId.describe('The payload, acme or scep, whose certificate it shows.');
const domains = z.array(host).max(256);

const onDemand = z
  .array(
    z.strictObject({
      action: z.enum(['Connect', 'Disconnect', 'Ignore']).describe('What to do where it matches.'),
      ssids: z.array(z.string().min(1).max(32)).max(64).optional(),
      interface: z.enum(['Ethernet', 'WiFi', 'Cellular']).optional(),
      probe: url.optional().describe('Matches where this address answers 200.'),
    }),
  )
  .max(64)
  .optional()
  .describe('When it connects by itself; the first that matches counts.');

const payload = z.strictObject({
  id: payloadId,
  name: z.string().min(1).max(256).describe('What the device shows.'),
  webClip: z
    .strictObject({ url, fullScreen: z.boolean().optional(), removable: z.boolean().optional() })
    .optional()
    .describe('An icon on the Home screen.'),
  dns: z
    .strictObject({
      httpsUrl: url.optional().describe('DNS over HTTPS, or…'),
      tlsName: host.optional().describe('…DNS over TLS at this name.'),
      addresses: z.array(z.string().max(64)).max(16).optional(),
      matchDomains: domains.optional().describe('Only for these; absent: for all.'),
    })
    .optional()
    .describe('Encrypted DNS.'),
  relay: z
    .strictObject({
      http3Url: url.optional(),
      http2Url: url.optional(),
      identity: identity.optional(),
      matchDomains: domains.optional(),
      excludedDomains: domains.optional(),
    })
    .optional()
    .describe('A network relay; needs iOS 17 or macOS 14.'),
  certificate: z
    .strictObject({
      pem: z.string().min(1).max(16_384),
      role: z.enum(['root', 'intermediate']).default('root'),
    })
    .optional()
    .describe('A certificate; a root is trusted for TLS once the user says so.'),
  acme: z
    .strictObject({
      directoryUrl: url,
      clientIdentifier: z.string().min(1).max(256),
      commonName: z.string().min(1).max(64),
      attested: z.boolean().optional().describe('The Secure Enclave makes the key and says so.'),
    })
    .optional()
    .describe('A key of the device, certified by ACME; needs iOS 16 or macOS 13.1.'),
  scep: z
    .strictObject({
      url,
      caName: z.string().min(1).max(256).optional(),
      commonName: z.string().min(1).max(64),
    })
    .optional()
    .describe('A key of the device, certified by SCEP without a challenge.'),
  ikev2: z
    .strictObject({
      server: host,
      remoteId: host,
      localId: host,
      identity: identity.optional().describe('Absent: the device asks for name and password.'),
      user: z.string().min(1).max(256).optional(),
      mtu: z.int().optional(),
      onDemand,
    })
    .optional()
    .describe('A VPN by IKEv2.'),
  anyConnect: z
    .strictObject({
      server: host,
      group: z.string().min(1).max(256).optional(),
      identity: identity.optional().describe('Absent: the app asks for name and password.'),
      user: z.string().min(1).max(256).optional(),
      onDemand,
    })
    .optional()
    .describe('A VPN of Cisco Secure Client, which has to be installed.'),
  perApp: z
    .strictObject({ safariDomains: domains.optional() })
    .optional()
    .describe('With ikev2 or anyConnect: for certain apps, and for these domains in Safari.'),
  wifi: z
    .strictObject({
      ssid: z.string().min(1).max(32),
      security: z.enum(['Open', 'WPA2', 'WPA3', 'Certificate']),
      hidden: z.boolean().optional(),
      identity: identity.optional().describe('With Certificate.'),
      serverNames: domains.optional().describe('With Certificate: names of the RADIUS server.'),
    })
    .optional()
    .describe('A network; the device asks for its password.'),
});

const spec = z.strictObject({
  channel: z.string().min(1).max(253).optional().describe('The channel it is for.'),
  identifier: z
    .string()
    .regex(/^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$/)
    .max(200)
    .optional()
    .describe('A device replaces the profile it has under this; absent: dev.tapline and its name.'),
  title: z.string().min(1).max(256).describe('What the device shows.'),
  organization: z.string().min(1).max(256).optional(),
  description: z.string().min(1).max(2048).optional(),
  system: z.enum(['iOS', 'macOS', 'tvOS', 'visionOS', 'watchOS']).default('iOS'),
  systemVersion: z
    .string()
    .regex(/^\d{1,4}(\.\d{1,4}){0,2}$/)
    .optional()
    .describe('The oldest to install it; what that does not know is refused.'),
  payloads: z.array(payload).min(1).max(100).describe('What it holds; no secret belongs here.'),
  link: z
    .strictObject({
      seconds: z
        .int()
        .min(60)
        .max(31_536_000)
        .default(604_800)
        .describe('How long it is good for.'),
      generation: z.int().min(1).default(1).describe('A higher one makes a new link.'),
      revoked: z.boolean().default(false).describe('Whether nobody gets it any more.'),
    })
    .prefault({})
    .describe('Where devices get it.'),
});

const count = z.int().min(0);
const time = z.iso.datetime({ offset: true });

const status = z.strictObject({
  observedGeneration: count.optional(),
  url: z.string().max(4096).optional().describe('The link, for as long as it is good.'),
  linkGeneration: count.optional().describe('Which link that is.'),
  expiresAt: time.optional().describe('When the link ends.'),
  uuid: z.string().max(64).optional().describe('Of the profile; the next one replaces it.'),
  digest: z.string().max(80).optional().describe('Of the profile before it is signed.'),
  downloads: count.optional().describe('How often it was fetched.'),
  lastDownloadAt: time.optional(),
  warnings: z.array(z.string().max(1024)).max(64).optional().describe('What is passed over.'),
  error: errorSchema.optional().describe('Why there is no profile.'),
  conditions: conditionsSchema,
});

export type EnrolmentSpec = z.infer<typeof spec>;
export type EnrolmentStatus = z.infer<typeof status>;
export type EnrolmentPayload = z.infer<typeof payload>;
export type Enrolment = ApiObject<EnrolmentSpec, EnrolmentStatus>;

export const enrolmentResource: ResourceDefinition<EnrolmentSpec, EnrolmentStatus> = {
  group: taplineGroup,
  version: taplineVersion,
  kind: 'Enrolment',
  plural: 'enrolments',
  singular: 'enrolment',
  shortNames: ['enrol'],
  categories: ['all', 'tapline'],
  scope: 'Cluster',
  description: 'A configuration profile for Apple devices, behind a link that expires.',
  spec,
  status,
  selectableFields: ['spec.channel'],
  columns: [
    { name: 'Channel', type: 'string', jsonPath: '.spec.channel', description: 'Its channel.' },
    {
      name: 'Ready',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].status',
      description: 'Whether devices get it.',
    },
    {
      name: 'Reason',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Ready")].reason',
      description: 'Why or why not.',
    },
    {
      name: 'Downloads',
      type: 'integer',
      jsonPath: '.status.downloads',
      description: 'How often it was fetched.',
    },
    { name: 'Expires', type: 'date', jsonPath: '.status.expiresAt', description: 'Of its link.' },
    {
      name: 'URL',
      type: 'string',
      jsonPath: '.status.url',
      description: 'The link.',
      priority: 1,
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Age.' },
  ],
};
