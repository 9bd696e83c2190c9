import { cellar, prefix } from '../prefix.ts';
import type { InstallStep } from './install-step.ts';
import type { PrefixTree } from './prefix-tree.ts';
import { expandTokens, resolveSpec, type StepContext } from './step-context.ts';

/** Steps that run programs. */
export type ProgramStep = Extract<
  InstallStep,
  {
    readonly type:
      | 'run'
      | 'init_data_dir'
      | 'compile_gsettings_schemas'
      | 'gio_querymodules'
      | 'gtk_update_icon_cache'
      | 'update_mime_database'
      | 'update_desktop_database'
      | 'gdk_pixbuf_query_loaders'
      | 'configure_gcc_runtime'
      | 'configure_glibc_runtime';
  }
>;

/** A program to be run in an image; paths are absolute. */
export interface StepProgram {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string | undefined;
  readonly stdin: string | undefined;
  readonly stdout: string | undefined;
  /** Whether another exit code than 0 is no failure. */
  readonly mayFail: boolean;
}

export type ProgramPlan =
  | {
      readonly kind: 'programs';
      /** To be there before they run. */
      readonly folders: readonly string[];
      readonly programs: readonly StepProgram[];
    }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unsupported'; readonly why: string };

/** What a step runs (`install_steps.rb`, `formula_actions.rb`). */
export function planPrograms(
  step: ProgramStep,
  context: StepContext & { readonly tree: PrefixTree },
): ProgramPlan {
  const keg = `${cellar}/${context.name}/${context.pkgVersion}`;
  switch (step.type) {
    case 'run':
      return planRun(step, context);
    case 'compile_gsettings_schemas':
      return tool('glib', 'glib-compile-schemas', resolveSpec(context, step.path));
    case 'gio_querymodules':
      return tool('glib', 'gio-querymodules', resolveSpec(context, step.path));
    case 'gdk_pixbuf_query_loaders':
      return tool('gdk-pixbuf', 'gdk-pixbuf-query-loaders', '--update-cache');
    case 'gtk_update_icon_cache': {
      const args = ['-q', '-t', '-f', resolveSpec(context, step.path)];
      return context.tree.find(`${prefix}/opt/gtk4`) === undefined
        ? tool('gtk+3', 'gtk3-update-icon-cache', ...args)
        : tool('gtk4', 'gtk4-update-icon-cache', ...args);
    }
    case 'update_mime_database':
      return tool('shared-mime-info', 'update-mime-database', resolveSpec(context, step.path));
    case 'update_desktop_database':
      return tool('desktop-file-utils', 'update-desktop-database', resolveSpec(context, step.path));
    case 'init_data_dir':
      return planDataFolder(step, context, keg);
    case 'configure_glibc_runtime':
      // The locale that Homebrew always makes; others are those of whoever installs.
      return programs(
        [`${keg}/lib/locale`],
        [`${keg}/bin/localedef`, '-i', 'en_US', '-f', 'UTF-8', 'en_US.UTF-8'],
      );
    case 'configure_gcc_runtime':
      return { kind: 'unsupported', why: 'prepares a compiler, which needs answers of that' };
  }
}

function planRun(
  step: Extract<InstallStep, { readonly type: 'run' }>,
  context: StepContext,
): ProgramPlan {
  if (step.sudo === true) return { kind: 'unsupported', why: 'asks for another user' };
  if (step.network_access) return { kind: 'unsupported', why: 'asks for a network' };
  const { base } = step.command;
  const isName = base === undefined || base === 'relative';
  const command = isName
    ? expandTokens(context, step.command.path)
    : resolveSpec(context, step.command);
  const path = (spec: typeof step.chdir): string | undefined =>
    spec === undefined ? undefined : resolveSpec(context, spec);
  return {
    kind: 'programs',
    folders: [],
    programs: [
      {
        command: [command, ...step.args.map((arg) => expandTokens(context, arg))],
        environment: Object.fromEntries(
          Object.entries(step.env).map(([name, value]) => [name, expandTokens(context, value)]),
        ),
        workingDirectory: path(step.chdir),
        stdin: path(step.stdin_path),
        stdout: path(step.stdout_path),
        mayFail: step.allow_failure,
      },
    ],
  };
}

const dataFolderMarkers: Readonly<Record<string, string>> = {
  postgresql_initdb: 'PG_VERSION',
  mysql_initialize: 'mysql/general_log.CSM',
  mariadb_install_db: 'mysql/user.frm',
};

function planDataFolder(
  step: Extract<InstallStep, { readonly type: 'init_data_dir' }>,
  context: StepContext & { readonly tree: PrefixTree },
  keg: string,
): ProgramPlan {
  const path = resolveSpec(context, step.path);
  const marker = dataFolderMarkers[step.using];
  if (marker === undefined) return { kind: 'unsupported', why: `${step.using} is not known` };
  if (context.tree.find(`${path}/${marker}`) !== undefined) return { kind: 'nothing' };
  const mysql = [`--basedir=${keg}`, `--datadir=${path}`, '--tmpdir=/tmp'];
  switch (step.using) {
    case 'postgresql_initdb':
      return programs(
        [path],
        [`${keg}/bin/initdb`, `--locale=${step.locale}`, '-E', 'UTF-8', path],
      );
    case 'mysql_initialize':
      return programs([path], [`${keg}/bin/mysqld`, '--initialize-insecure', ...mysql]);
    default:
      return programs([path], [`${keg}/bin/mysql_install_db`, '--verbose', ...mysql]);
  }
}

function tool(formula: string, name: string, ...args: readonly string[]): ProgramPlan {
  return programs([], [`${prefix}/opt/${formula}/bin/${name}`, ...args]);
}

function programs(folders: readonly string[], command: readonly string[]): ProgramPlan {
  const nothing = { workingDirectory: undefined, stdin: undefined, stdout: undefined };
  return {
    kind: 'programs',
    folders,
    programs: [{ command, environment: {}, mayFail: false, ...nothing }],
  };
}
