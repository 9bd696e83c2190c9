import { TaplineError } from '@tapline/base';
import { z } from 'zod';
import { formulaName } from './formula-schema.ts';

export interface TabDependency {
  readonly name: string;
  readonly pkgVersion: string;
  readonly rebuild: number;
}

/** What Homebrew noted when it made a bottle. */
export interface Tab {
  /**
   * Files with placeholders, relative to the keg; undefined where the bottle does not say, so that
   * all text has to be searched.
   */
  readonly changedFiles?: ReadonlySet<string>;
  /** All of them, not only the direct ones; undefined where the bottle does not say. */
  readonly runtimeDependencies?: readonly TabDependency[];
}

const tabSchema = z.object({
  changed_files: z.array(z.string()).nullish(),
  runtime_dependencies: z
    .array(
      z.object({
        full_name: z.string(),
        version: z.string(),
        revision: z.int().min(0).default(0),
        bottle_rebuild: z.int().min(0).nullish(),
        pkg_version: z.string().optional(),
      }),
    )
    .nullish(),
});

/**
 * Reads a tab: the `sh.brew.tab` annotation of a bottle's manifest or its `INSTALL_RECEIPT.json`.
 * Throws `tab_invalid`.
 */
export function parseTab(text: string): Tab {
  const parsed = tabSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new TaplineError(
      'tab_invalid',
      `tab is not readable: ${issue?.path.join('.') || '(root)'}: ${issue?.message ?? ''}`,
    );
  }
  const { changed_files: files, runtime_dependencies: dependencies } = parsed.data;
  return {
    ...(files && { changedFiles: new Set(files) }),
    ...(dependencies && {
      runtimeDependencies: dependencies.map((entry) => ({
        name: parseName(entry.full_name),
        pkgVersion:
          entry.pkg_version ??
          (entry.revision === 0 ? entry.version : `${entry.version}_${entry.revision}`),
        rebuild: entry.bottle_rebuild ?? 0,
      })),
    }),
  };
}

/** Names from other taps carry them: `user/tap/name`. */
function parseName(fullName: string): string {
  const parsed = formulaName.safeParse(fullName.slice(fullName.lastIndexOf('/') + 1));
  if (!parsed.success) {
    throw new TaplineError('tab_invalid', `tab names dependency ${JSON.stringify(fullName)}`);
  }
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new TaplineError('tab_invalid', 'tab is not JSON', { cause });
  }
}
