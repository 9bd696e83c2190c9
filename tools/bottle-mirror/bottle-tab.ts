import { implicitFormulae } from './catalogue.ts';
import type { Bottle } from './bottle.ts';
import { debianReleases } from './debian-release.ts';
import { platforms } from './platform.ts';

/** What a tab says of one dependency, direct or not. */
export interface RuntimeDependency {
  readonly full_name: string;
  readonly version: string;
  readonly revision: number;
  readonly bottle_rebuild: number;
  readonly pkg_version: string;
  readonly declared_directly: boolean;
}

/** The part of a bottle that its tab describes; known before the archive is written. */
export type TabSubject = Pick<
  Bottle,
  'platform' | 'changedFiles' | 'modifiedTime' | 'dependencies' | 'suite'
>;

/**
 * The tab (install receipt) as Homebrew writes it at build time. Its version is below 5.1.15, so
 * that `:any_skip_relocation` must not be trusted on Linux.
 */
export function bottleTab(
  subject: TabSubject,
  runtimeDependencies: readonly RuntimeDependency[],
): Record<string, unknown> {
  const release = debianReleases[subject.suite];
  return {
    homebrew_version: '4.6.20',
    changed_files: subject.changedFiles,
    source_modified_time: subject.modifiedTime,
    compiler: release.compiler,
    runtime_dependencies: runtimeDependencies,
    arch: platforms[subject.platform].homebrewArch,
    built_on: {
      os: 'Linux',
      os_version: release.osVersion,
      cpu_family: 'dunno',
      xcode: null,
      clt: null,
      preferred_perl: release.perl,
    },
  };
}

/** Direct dependencies as a formula lists them. */
export function listedDependencies(dependencies: readonly string[]): readonly string[] {
  return dependencies.filter((name) => !implicitFormulae.includes(name));
}
