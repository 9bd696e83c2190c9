import { z } from 'zod';
import { conditionsSchema } from '../condition.ts';
import type { ApiObject } from '../object-meta.ts';
import type { ResourceDefinition } from '../resource-definition.ts';
import {
  digestSchema,
  errorSchema,
  formulaSchema,
  imageReferenceSchema,
  packageVersionSchema,
  platformSchema,
  stageTimesSchema,
  taplineGroup,
  taplineVersion,
} from './common.ts';

const spec = z.strictObject({
  formula: formulaSchema,
  version: packageVersionSchema.optional().describe('Absent: what Homebrew serves now.'),
  image: imageReferenceSchema
    .optional()
    .describe('In place of Homebrew: the image, which formula is only a name for.'),
  platforms: z.array(platformSchema).min(1).max(16).describe('What to build for.'),
});

const packageImage = z.strictObject({
  platform: platformSchema,
  digest: digestSchema.describe("The image manifest's digest."),
  sizeBytes: z.int().min(0).describe('Compressed bytes of all layers.'),
  unpackedBytes: z.int().min(0).describe('Bytes of all layers on a device.'),
  layers: z.int().min(0).describe('How many layers.'),
  main: z.string().max(4096).optional().describe('The program that gives the package its name.'),
});

const status = z.strictObject({
  observedGeneration: z.int().min(0).optional(),
  version: packageVersionSchema.optional().describe('The version that was resolved.'),
  repository: z.string().max(255).optional().describe('Where the registry holds it.'),
  digest: digestSchema.optional().describe("The image index's digest."),
  images: z.array(packageImage).max(16).optional().describe('One image a platform.'),
  resolvedAt: z.iso.datetime({ offset: true }).optional().describe('When it was last resolved.'),
  stages: stageTimesSchema.optional(),
  error: errorSchema.optional().describe('Why it could not be resolved, built or published.'),
  conditions: conditionsSchema,
});

export type PackageSpec = z.infer<typeof spec>;
export type PackageStatus = z.infer<typeof status>;
export type PackageImage = z.infer<typeof packageImage>;
export type Package = ApiObject<PackageSpec, PackageStatus>;

export const packageResource: ResourceDefinition<PackageSpec, PackageStatus> = {
  group: taplineGroup,
  version: taplineVersion,
  kind: 'Package',
  plural: 'packages',
  singular: 'package',
  shortNames: ['pkg'],
  categories: ['all', 'tapline'],
  scope: 'Cluster',
  description: 'A Homebrew formula at a version, resolved and built into images.',
  spec,
  status,
  selectableFields: ['spec.formula'],
  columns: [
    { name: 'Formula', type: 'string', jsonPath: '.spec.formula', description: 'The formula.' },
    { name: 'Version', type: 'string', jsonPath: '.status.version', description: 'Its version.' },
    {
      name: 'Ready',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Published")].status',
      description: 'Whether its images are in the registry.',
    },
    {
      name: 'Reason',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Published")].reason',
      description: 'Why or why not.',
    },
    {
      name: 'Digest',
      type: 'string',
      jsonPath: '.status.digest',
      description: "The image index's digest.",
      priority: 1,
    },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp', description: 'Age.' },
  ],
};
