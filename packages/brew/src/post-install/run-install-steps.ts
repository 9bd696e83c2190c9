import { prefix } from '../prefix.ts';
import { applyFileStep, type FileStepContext } from './apply-file-step.ts';
import { globPaths } from './glob-paths.ts';
import type { InstallStep, StepGuard } from './install-step.ts';
import type { FileContent, PrefixTree } from './prefix-tree.ts';
import { planPrograms, type ProgramStep, type StepProgram } from './plan-programs.ts';
import { resolveSpec, type StepContext } from './step-context.ts';
import { StepFailure } from './step-failure.ts';

/** A formula with what is to be done once it is unpacked and linked. */
export interface FormulaSteps extends StepContext {
  readonly steps: readonly InstallStep[];
}

/** A step that the image does without, and why. */
export interface StepLeftOut {
  readonly formula: string;
  /** As Homebrew names it. */
  readonly step: string;
  readonly why: string;
}

export interface StepRunner {
  readonly read: (content: FileContent) => Promise<Uint8Array>;
  readonly gunzip: (bytes: Uint8Array) => Promise<Uint8Array>;
  /**
   * Runs a program of an image and brings what it changed into the tree. Throws {@link StepFailure};
   * undefined where no program is to be run.
   */
  readonly run?: (program: StepProgram, tree: PrefixTree, context: StepContext) => Promise<void>;
}

/**
 * Carries out the steps of all formulae, in their order. One that fails, or runs a program where none
 * may run, is left out. What comes after a failure in the same formula is left out as well, as with
 * Homebrew; what comes after a program may not need it.
 */
export async function runInstallSteps(
  tree: PrefixTree,
  formulae: readonly FormulaSteps[],
  runner: StepRunner,
): Promise<readonly StepLeftOut[]> {
  const leftOut: StepLeftOut[] = [];
  for (const formula of formulae) {
    const context = { ...formula, ...runner, tree };
    const guards = new Map<string, boolean>();
    let failed: string | undefined;
    for (const step of formula.steps) {
      const name = step.type === 'unknown' ? step.name : step.type;
      const leave = (why: string): void =>
        void leftOut.push({ formula: formula.name, step: name, why });
      if (failed !== undefined) {
        leave(`${failed} failed before it`);
        continue;
      }
      try {
        if (step.type !== 'unknown' && !guardsHold(step.guards, context, guards)) continue;
        const why = await carryOut(step, context, runner);
        if (why !== undefined) leave(why);
      } catch (error) {
        if (!(error instanceof StepFailure)) throw error;
        leave(error.message);
        failed = name;
      }
    }
  }
  return leftOut;
}

/** Why the step was left out, or undefined. */
async function carryOut(
  step: InstallStep,
  context: FileStepContext,
  { run }: StepRunner,
): Promise<string | undefined> {
  switch (step.type) {
    case 'unknown':
      throw new StepFailure(step.why);
    case 'warn':
    case 'terminate_process':
    case 'configure_clang_system':
      // An image has nobody to tell and nothing that runs, and is not macOS.
      return undefined;
    case 'change_dylib_id':
    case 'delete_keychain_certificate':
    case 'set_ownership':
      return 'is for macOS';
    case 'configure_php':
    case 'bootstrap_cpython':
    case 'bootstrap_pypy':
      return 'is a procedure of its own in Homebrew';
    case 'run':
    case 'init_data_dir':
    case 'compile_gsettings_schemas':
    case 'gio_querymodules':
    case 'gtk_update_icon_cache':
    case 'update_mime_database':
    case 'update_desktop_database':
    case 'gdk_pixbuf_query_loaders':
    case 'configure_gcc_runtime':
    case 'configure_glibc_runtime':
      return runPrograms(step, context, run);
    default:
      await applyFileStep(step, context);
      return undefined;
  }
}

async function runPrograms(
  step: ProgramStep,
  context: FileStepContext,
  run: StepRunner['run'],
): Promise<string | undefined> {
  const plan = planPrograms(step, context);
  if (plan.kind === 'nothing') return undefined;
  if (plan.kind === 'unsupported') return plan.why;
  if (run === undefined) return 'runs a program';
  for (const path of plan.folders) context.tree.makeDirectories(path);
  for (const program of plan.programs) await run(program, context.tree, context);
  return undefined;
}

/** A guard decides once for all steps in its scope. */
function guardsHold(
  guards: readonly StepGuard[],
  context: FileStepContext,
  known: Map<string, boolean>,
): boolean {
  return guards.every((guard) => {
    const key = JSON.stringify(guard);
    const holds = known.get(key) ?? guardHolds(guard, context);
    known.set(key, holds);
    return holds;
  });
}

function guardHolds(guard: StepGuard, context: FileStepContext): boolean {
  switch (guard.condition) {
    case 'on':
      return guard.value === 'linux';
    case 'if_exists':
      return isThere(guard, context);
    case 'unless_exists':
      return !isThere(guard, context);
    default:
      return false;
  }
}

function isThere(guard: StepGuard, context: FileStepContext): boolean {
  const path = guard.path ?? '';
  // What is searched for as a command; `path` is the base's older name.
  const isCommand = guard.base === 'search_path' || guard.base === 'path';
  const patterns = isCommand
    ? [`${prefix}/bin/${path}`, `${prefix}/sbin/${path}`]
    : [resolveSpec(context, { ...guard, path })];
  return patterns
    .flatMap((pattern) => globPaths(context.tree, pattern))
    .some((found) => context.tree.find(found) !== undefined);
}
