import { z } from 'zod';

/** RFC 7348: 24 bits; 1 to 4095 are kept free, since some peers have VLAN ids there. */
export const vniSchema: z.ZodInt = z.int().min(4096).max(0xffffff);

export const segmentNameSchema: z.ZodString = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
  .max(189);

export const communityNameSchema: z.ZodString = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
  .max(63);

/** IPv4 or IPv6; whether it is one says who parses it, with the value in the message. */
export const addressSchema: z.ZodString = z.string().min(2).max(45);
export const prefixSchema: z.ZodString = z.string().min(3).max(49);

export const encryptionSchema = z.strictObject({
  underlay: z
    .enum(['none', 'wireguard', 'ipsec'])
    .default('wireguard')
    .describe('What carries frames from node to node.'),
  link: z
    .enum(['none', 'macsec'])
    .default('none')
    .describe('Whether the link below is encrypted, too.'),
});

/** A node as others have to know it. */
export const nodeIntentSchema = z.strictObject({
  name: z.string().min(1).max(253),
  vtep: addressSchema.describe('Where its VXLAN packets come from.'),
  underlay: addressSchema.describe('Its address on the underlay.'),
  wireguardKey: z.string().max(64).optional().describe('Its public key, base64.'),
  link: z
    .strictObject({
      interface: z.string().max(15).optional(),
      address: addressSchema.describe('Its address on the encrypted link.'),
      prefixLength: z.int().min(1).max(128),
      mac: z.string().max(17).describe('What it sends from.'),
    })
    .optional()
    .describe('Its place on the link that MACsec encrypts.'),
});

/** X25519, base64url. */
export const agreementKeySchema: z.ZodString = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** A MACsec key as its sender wrapped it for one receiver: not secret. */
export const wrappedKeySchema = z.strictObject({
  epoch: z.int().min(0),
  generation: z.int().min(0),
  sealed: z.string().max(128).describe('Nonce and key, sealed for its receiver.'),
});

export const portIntentSchema = z.strictObject({
  node: z.string().min(1).max(253).describe('The node that it is on.'),
  index: z.int().min(1).max(65_535).describe('Number in its segment.'),
  incarnation: z
    .int()
    .min(1)
    .describe('Goes up whenever role, community, owner or address change.'),
  owner: z.string().min(1).max(253).describe('Who is attached: a device or an install.'),
  addresses: z.array(addressSchema).max(8).describe('The only sources that it may use.'),
  role: z.strictObject({
    kind: z.enum(['promiscuous', 'community', 'isolated']),
    community: communityNameSchema.optional(),
  }),
  attach: z.strictObject({
    kind: z.enum(['host', 'namespace']),
    path: z.string().max(4096).optional().describe('The network namespace.'),
  }),
});

/** By name the group policy id; never used again for another community. */
export const communityIdsSchema = z.record(communityNameSchema, z.int().min(16).max(65_535));
