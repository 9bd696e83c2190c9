import { TaplineError } from '@tapline/base';
import { parseDigest } from '@tapline/oci';
import { z } from 'zod';
import type { BottleTag } from './bottle-tag.ts';
import { formulaSchema, type FormulaJson } from './formula-schema.ts';
import type { BottleFile, Formula } from './formula.ts';
import { parseService } from './parse-service.ts';
import { parseInstallSteps } from './post-install/install-step.ts';
import { cellar as ownCellar } from './prefix.ts';

/**
 * Reads a formula of the public API as it applies to `tag`. Throws `formula_invalid` naming the
 * fields.
 */
export function parseFormula(json: unknown, tag: BottleTag): Formula {
  const parsed = formulaSchema.safeParse(mergeVariation(json, tag));
  if (!parsed.success) {
    const fields = parsed.error.issues
      .slice(0, 5)
      .map((issue) => `${issue.path.join('.') || '(root)'}: ${issue.message}`);
    throw new TaplineError(
      'formula_invalid',
      `formula ${nameOf(json)} does not have the shape of the formula API: ${fields.join('; ')}`,
      { details: { fields } },
    );
  }
  return toFormula(parsed.data);
}

const varied = z.object({ variations: z.record(z.string(), z.record(z.string(), z.unknown())) });

/** Homebrew's rule: the fields of a variation replace the formula's, each as a whole. */
function mergeVariation(json: unknown, tag: BottleTag): unknown {
  const parsed = varied.safeParse(json);
  const variation = parsed.success ? parsed.data.variations[tag] : undefined;
  return variation === undefined ? json : Object.assign({}, json, variation);
}

function nameOf(json: unknown): string {
  const parsed = z.object({ name: z.string() }).safeParse(json);
  return parsed.success ? parsed.data.name.slice(0, 128) : '(unnamed)';
}

function toFormula(json: FormulaJson): Formula {
  const service =
    typeof json.service === 'object' && json.service !== null
      ? parseService(json.service)
      : undefined;
  const condition = unmetCondition(json.pour_bottle_only_if);
  const oldNames = json.oldname ? [json.oldname, ...json.oldnames] : json.oldnames;
  return {
    name: json.name,
    tap: json.tap,
    aliases: json.aliases,
    oldNames: [...new Set(oldNames)],
    versionedFormulae: json.versioned_formulae,
    ...(json.desc && { description: json.desc }),
    ...(json.license && { license: json.license }),
    ...(json.homepage && { homepage: json.homepage }),
    ...(json.versions.stable && { stableVersion: json.versions.stable }),
    revision: json.revision,
    rebuild: json.bottle.stable?.rebuild ?? 0,
    kegOnly: json.keg_only && !isReasonOfMacos(json.keg_only_reason?.reason),
    linkOverwrite: Array.isArray(json.link_overwrite) ? json.link_overwrite : [],
    postInstall: parseInstallSteps(json.post_install_steps, json.post_install_defined),
    ...(service !== undefined && { service }),
    dependencies: runtimeDependencies(json),
    bottles: new Map(
      Object.entries(json.bottle.stable?.files ?? {}).map(([tag, file]): [string, BottleFile] => {
        const unusable = condition ?? foreignCellar(file.cellar);
        const digest = parseDigest(`sha256:${file.sha256}`);
        return [tag, { digest, url: file.url, ...(unusable !== undefined && { unusable }) }];
      }),
    ),
  };
}

/**
 * On Linux nothing comes from macOS, so `uses_from_macos` are dependencies like the others, except
 * those needed to build or test only.
 */
function runtimeDependencies(json: FormulaJson): readonly string[] {
  const fromMacos = json.uses_from_macos.flatMap((entry) => {
    if (typeof entry === 'string') return [entry];
    return Object.entries(entry)
      .filter(([, use]) => ![use].flat().some((tag) => tag === 'build' || tag === 'test'))
      .map(([name]) => name);
  });
  return [...new Set([...json.dependencies, ...fromMacos])];
}

/**
 * The API describes macOS, where a formula may stay out of the way of what the system has; elsewhere
 * that is no reason (`keg_only_reason.rb#applicable?`).
 */
function isReasonOfMacos(reason: string | undefined): boolean {
  return reason === ':provided_by_macos' || reason === ':shadowed_by_macos';
}

/**
 * `pour_bottle? only_if:` of `formula.rb`: an image has the default prefix, and Apple's command line
 * tools are asked for on macOS only.
 */
function unmetCondition(condition: string | null | undefined): string | undefined {
  if (!condition || condition === 'default_prefix' || condition === 'clt_installed')
    return undefined;
  return `may be poured only if ${JSON.stringify(condition)}, which is not known here`;
}

/** `bottle_specification.rb#compatible_locations?`: a bottle may be made for one place only. */
function foreignCellar(cellar: string | undefined): string | undefined {
  const isElsewhere = cellar?.startsWith('/') === true && cellar !== ownCellar;
  return isElsewhere ? `is made for ${cellar}, and images have ${ownCellar}` : undefined;
}
