import { isRecord } from '@tapline/base';
import { bottleRepository, type BottleTag } from '@tapline/brew';

/**
 * A formula of `internal/packages.TAG.jws.json` in the shape of the public API: the other way round from
 * Homebrew's `formula_struct_generator.rb` and `formula_struct.rb#serialize`, whose values are for one
 * bottle tag, without what is blank, and with symbols as text that begins with a colon.
 */
export function formulaOfStruct(
  name: string,
  struct: Readonly<Record<string, unknown>>,
  tag: BottleTag,
): Readonly<Record<string, unknown>> {
  const plain = withoutSymbols(struct) as Readonly<Record<string, unknown>>;
  const { bottle_checksum: sha256, keg_only_args: kegOnly, license } = struct;
  const { bottle_tag: bottleTag } = plain;
  const file = {
    cellar: struct['bottle_cellar'] ?? ':any_skip_relocation',
    url: `https://ghcr.io/v2/homebrew/core/${bottleRepository(name)}/blobs/sha256:${String(sha256)}`,
    sha256,
  };
  return {
    name,
    aliases: plain['aliases'],
    oldnames: plain['oldnames'],
    versioned_formulae: plain['versioned_formulae'],
    desc: plain['desc'],
    homepage: plain['homepage'],
    // Expressions of more than one licence are structures there.
    license: typeof license === 'string' && !license.startsWith(':') ? license : undefined,
    versions: { stable: plain['stable_version'] },
    revision: plain['revision'],
    bottle:
      sha256 === undefined
        ? {}
        : {
            stable: {
              rebuild: plain['bottle_rebuild'],
              files: { [typeof bottleTag === 'string' ? bottleTag : tag]: file },
            },
          },
    pour_bottle_only_if: fieldOf(plain['pour_bottle_args'], 'only_if'),
    keg_only: Array.isArray(kegOnly) && kegOnly.length > 0,
    keg_only_reason: Array.isArray(kegOnly) ? { reason: kegOnly[0] } : undefined,
    link_overwrite: plain['link_overwrite_paths'],
    post_install_defined: plain['post_install_defined'],
    post_install_steps: plain['post_install_steps'],
    service: serviceOf(plain),
    dependencies: listOf(struct['stable_dependencies']).filter(
      // Others are requirements, or are needed to build only.
      (item) => typeof item === 'string' && !item.startsWith(':'),
    ),
    uses_from_macos: listOf(struct['stable_uses_from_macos']).flatMap(systemDependency),
  };
}

/** `[name]`, `[name, bounds]`, `[{ name: use, since: … }]`. */
function systemDependency(entry: unknown): readonly unknown[] {
  const [first] = listOf(entry);
  if (!isRecord(first)) return first === undefined ? [] : [first];
  // Bounds are symbols and for macOS only.
  const uses = Object.entries(first).filter(([key]) => !key.startsWith(':'));
  return [withoutSymbols(Object.fromEntries(uses))];
}

function serviceOf(plain: Readonly<Record<string, unknown>>): unknown {
  const run = plain['service_run_kwargs'] ?? listOf(plain['service_run_args'])[0];
  const name = plain['service_name_args'];
  if (run === undefined && name === undefined) return undefined;
  const fields = listOf(plain['service_args']).map((pair) => listOf(pair));
  return {
    ...Object.fromEntries(fields.map(([key, value]) => [String(key), value])),
    run,
    name,
  };
}

/** `utils.rb#deep_unstringify_symbols`, symbols as the text they are in JSON. */
function withoutSymbols(value: unknown): unknown {
  if (typeof value === 'string') return /^[:\\]/.test(value) ? value.slice(1) : value;
  if (Array.isArray(value)) return value.map(withoutSymbols);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [String(withoutSymbols(key)), withoutSymbols(item)]),
  );
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function fieldOf(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}
