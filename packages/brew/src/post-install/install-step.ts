import { z } from 'zod';

const pathSpec = z.union([
  z.string().transform((path): PathSpec => ({ path })),
  z.object({
    path: z.string().default(''),
    base: z.string().optional(),
    formula: z.string().optional(),
  }),
]);

/** A path as steps name it: relative to a place that the base stands for. */
export interface PathSpec {
  readonly path: string;
  readonly base?: string | undefined;
  readonly formula?: string | undefined;
}

const guard = z.object({
  condition: z.string(),
  value: z.string().optional(),
  path: z.string().optional(),
  base: z.string().optional(),
  formula: z.string().optional(),
  id: z.string().optional(),
});
export type StepGuard = z.infer<typeof guard>;

const flag = z.boolean().default(false);
const common = { guards: z.array(guard).default([]) };
const onPath = { ...common, path: pathSpec };
const fromTo = { ...common, source: pathSpec, target: pathSpec };
const onPaths = { ...common, paths: z.array(pathSpec) };
const sudo = z.union([z.boolean(), z.string()]).optional();

const kinds = [
  z.object({ ...onPath, type: z.literal(['mkdir', 'mkdir_p', 'touch']) }),
  z.object({
    ...fromTo,
    type: z.literal('move'),
    force: flag,
    overwrite: z.boolean().optional(),
    source_glob: flag,
  }),
  z.object({ ...fromTo, type: z.literal(['move_children', 'move_contents']) }),
  z.object({
    ...fromTo,
    type: z.literal('copy'),
    recursive: flag,
    overwrite: z.boolean().default(true),
    source_glob: flag,
  }),
  z.object({
    ...onPaths,
    type: z.literal('remove'),
    recursive: flag,
    sudo,
    symlink_target_contains: z.string().optional(),
    content_contains: z.string().optional(),
  }),
  z.object({
    ...onPath,
    type: z.literal('inreplace'),
    before: z.string(),
    after: z.string(),
    regexp: flag,
    regexp_options: z.int().default(0),
    skip_audit: flag,
    first_only: flag,
  }),
  z.object({ ...fromTo, type: z.literal('link_dir') }),
  z.object({
    ...fromTo,
    type: z.literal('link_children'),
    prefix: z.string().default(''),
    suffix: z.string().default(''),
  }),
  z.object({
    ...fromTo,
    type: z.literal('symlink'),
    force: flag,
    source_glob: flag,
    sudo,
  }),
  z.object({ ...onPath, type: z.literal('write'), content: z.string(), overwrite: flag }),
  z.object({
    ...onPaths,
    type: z.literal('set_permissions'),
    permissions: z.string(),
    non_recursive: flag,
  }),
  z.object({ ...fromTo, type: z.literal('install_gzipped_executable') }),
  z.object({
    ...common,
    type: z.literal('run'),
    command: pathSpec,
    args: z.array(z.string()).default([]),
    env: z.record(z.string(), z.string()).default({}),
    sudo,
    allow_failure: flag,
    stdin_path: pathSpec.optional(),
    stdout_path: pathSpec.optional(),
    chdir: pathSpec.optional(),
    network_access: flag,
  }),
  z.object({
    ...onPath,
    type: z.literal('init_data_dir'),
    using: z.string(),
    locale: z.string().default('en_US.UTF-8'),
  }),
  z.object({
    ...onPath,
    type: z.literal([
      'compile_gsettings_schemas',
      'gio_querymodules',
      'gtk_update_icon_cache',
      'update_mime_database',
      'update_desktop_database',
    ]),
  }),
  z.object({
    ...common,
    type: z.literal([
      'gdk_pixbuf_query_loaders',
      'configure_gcc_runtime',
      'configure_glibc_runtime',
    ]),
  }),
  z.object({ ...common, type: z.literal('warn'), message: z.string() }),
  z.object({ ...common, type: z.literal('bootstrap_pypy'), abi_version: z.string() }),
  z.object({
    ...common,
    type: z.literal([
      'terminate_process',
      'change_dylib_id',
      'configure_clang_system',
      'configure_php',
      'bootstrap_cpython',
      'set_ownership',
      'delete_keychain_certificate',
    ]),
  }),
] as const;

const knownStep = z.discriminatedUnion('type', kinds);

/** A step of `post_install_steps` (Homebrew `install_steps.rb`), as the API has it. */
export type InstallStep =
  | z.infer<typeof knownStep>
  /** What Homebrew would do and the API does not say in a form that is known here. */
  | { readonly type: 'unknown'; readonly name: string; readonly why: string };

/** Reads the steps one by one: what is not understood is left out by name when its turn comes. */
export function parseInstallSteps(json: unknown, hasRubyHook: boolean): readonly InstallStep[] {
  const steps = Array.isArray(json) ? json.map(parseStep) : [];
  const unlisted = !Array.isArray(json) && Boolean(json);
  if (unlisted) steps.push(unknown('post_install_steps', 'the API does not list them'));
  if (hasRubyHook) steps.push(unknown('post_install', 'is written in Ruby'));
  return steps;
}

function parseStep(json: unknown): InstallStep {
  const parsed = knownStep.safeParse(json);
  if (parsed.success) return parsed.data;
  const named = z.object({ type: z.string().max(64) }).safeParse(json);
  const issue = parsed.error.issues[0];
  const name = named.success ? named.data.type : 'unnamed';
  const isKind = kinds.some((kind) => kind.shape.type.values.has(name as never));
  return unknown(
    name,
    isKind ? `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}` : 'is no step that is known',
  );
}

function unknown(name: string, why: string): InstallStep {
  return { type: 'unknown', name, why };
}
