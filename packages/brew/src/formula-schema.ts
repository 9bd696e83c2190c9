import { z } from 'zod';
import { serviceSchema } from './service-schema.ts';

/** Formula names and aliases become paths and URLs, so nothing else may pass. */
export const formulaName: z.ZodString = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._+-]*(@[A-Za-z0-9._+-]+)?$/, 'not a formula name');

/** Versions become path segments and tags. */
const version = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._+~-]*$/, 'not a version');

const bottleFile = z.object({
  cellar: z.string().optional(),
  url: z.url({ protocol: /^https?$/ }),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'not 64 lower-case hexadecimal digits'),
});

/** A dependency of `uses_from_macos`: a name, or a name with what it is needed for. */
const systemDependency = z.union([
  formulaName,
  z.record(formulaName, z.union([z.string(), z.array(z.string())])),
]);

/**
 * The fields of a formula in the public API that are used here (Homebrew `formula.rb#to_hash`);
 * unknown ones are dropped, as every release adds some.
 */
export const formulaSchema = z.object({
  name: formulaName,
  tap: z.string().default('homebrew/core'),
  aliases: z.array(formulaName).default([]),
  oldname: formulaName.nullish(),
  oldnames: z.array(formulaName).default([]),
  versioned_formulae: z.array(formulaName).default([]),
  desc: z.string().nullish(),
  license: z.string().nullish(),
  homepage: z.string().nullish(),
  versions: z.object({ stable: version.nullish() }),
  revision: z.int().min(0).default(0),
  bottle: z.object({
    stable: z
      .object({
        rebuild: z.int().min(0).default(0),
        files: z.record(z.string(), bottleFile),
      })
      .optional(),
  }),
  pour_bottle_only_if: z.string().nullish(),
  keg_only: z.boolean().default(false),
  keg_only_reason: z.object({ reason: z.string() }).nullish(),
  link_overwrite: z.union([z.array(z.string()), z.boolean()]).nullish(),
  post_install_defined: z.boolean().default(false),
  post_install_steps: z.unknown().optional(),
  service: z.union([serviceSchema, z.boolean()]).nullish(),
  dependencies: z.array(formulaName).default([]),
  uses_from_macos: z.array(systemDependency).default([]),
});

export type FormulaJson = z.infer<typeof formulaSchema>;
