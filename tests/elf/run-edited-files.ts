import { execFile } from 'node:child_process';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { editElf } from '@tapline/elf';
import type { DynamicFile } from './dynamic-files.ts';

const exec = promisify(execFile);

export interface RunEditedFilesOptions {
  /** Where packages are unpacked. */
  readonly root: string;
  /** A folder for what is made. */
  readonly folder: string;
  /** `x86_64-linux-gnu`. */
  readonly triplet: string;
  /** Relative to the root. */
  readonly loader: string;
  /** Each so manieth program is started, and every library is loaded. */
  readonly share: number;
  /** What runs programs of another machine. */
  readonly emulator?: string;
}

export interface RunReport {
  /** Programs that said their version, or what they said before they were edited. */
  readonly ran: number;
  /** Libraries that a program loaded, with all symbols bound. */
  readonly loaded: number;
  /** Libraries that could not be loaded alone before they were edited either, for the same reason. */
  readonly unloadable: number;
  /** Files that did something else, and what. */
  readonly problems: readonly string[];
}

const processesAtOnce = 2;
const librariesAtOnce = 12;

/**
 * Edits all `files` in a copy of their root, so that programs and libraries find each other by
 * nothing but what was edited in, and starts a share of the programs and loads every library.
 */
export async function runEditedFiles(
  files: AsyncIterable<DynamicFile>,
  options: RunEditedFilesOptions,
): Promise<RunReport> {
  const { root, folder, loader, triplet } = options;
  const moved = join(folder, 'moved');
  await exec('cp', ['-al', root, moved]);
  // Longer than any place that a linker leaves.
  const deep = join(folder, 'd'.repeat(120));
  await mkdir(deep);
  const interpreter = join(deep, 'ld.so');
  await symlink(join(moved, loader), interpreter);
  const value = [...libraryFolders(moved, triplet), `$ORIGIN/${'y'.repeat(200)}`].join(':');
  const programs: string[] = [];
  const libraries: string[] = [];
  for await (const { path, bytes, elf } of files) {
    // The loader itself is never edited: Homebrew's would not start either.
    if (path === loader || elf.soname?.startsWith('ld-linux')) continue;
    const isProgram = elf.interpreter !== undefined;
    const edited = editElf(bytes, {
      ...(isProgram && { interpreter }),
      // DT_RPATH serves the libraries of libraries too: converters that were left out.
      rpath: { kind: isProgram ? 'rpath' : 'runpath', value },
    });
    const target = join(moved, path);
    await rm(target);
    await writeFile(target, edited, { mode: 0o755 });
    (isProgram ? programs : libraries).push(path);
  }
  const started = programs.filter((_, index) => index % options.share === 0);
  const outcomes = [
    ...(await eachOf(started, (path) => tryProgram(path, moved, options))),
    ...(await eachOf(batches(libraries), (paths) => tryLibraries(paths, moved, options))),
  ].flat();
  const count = (kind: Outcome['kind']): number =>
    outcomes.filter((outcome) => outcome.kind === kind).length;
  return {
    ran: count('ran'),
    loaded: count('loaded'),
    unloadable: count('unloadable'),
    problems: outcomes.flatMap((outcome) => (outcome.kind === 'problem' ? [outcome.text] : [])),
  };
}

type Outcome =
  | { readonly kind: 'ran' | 'loaded' | 'unloadable' }
  | { readonly kind: 'problem'; readonly text: string };

async function tryProgram(
  path: string,
  moved: string,
  options: RunEditedFilesOptions,
): Promise<readonly Outcome[]> {
  const edited = await run([join(moved, path), '--version'], options);
  if (edited.code === 0 && /\d/.test(edited.output)) return [{ kind: 'ran' }];
  const original = await run(
    [...byLoader(options, path), join(options.root, path), '--version'],
    options,
  );
  // What is run by the loader takes that for its own name.
  const [name, loader] = [basename(path), basename(options.loader)];
  const same = original.output.replaceAll(loader, name) === edited.output;
  if (same && original.code === edited.code) return [{ kind: 'ran' }];
  const text = `${path}: ${JSON.stringify(edited)} instead of ${JSON.stringify(original)}`;
  return [{ kind: 'problem', text }];
}

const loadScript =
  'require XSLoader; $| = 1; for (@ARGV) { my $why = "loaded"; ' +
  'unless (DynaLoader::dl_load_file($_, 0)) { ($why) = split /[\\n\\0]/, DynaLoader::dl_error() } ' +
  'print "@ $_: $why\\n" }';

/** Loads libraries with the perl of the same root, some at once: thread-local storage is small. */
async function tryLibraries(
  paths: readonly string[],
  moved: string,
  options: RunEditedFilesOptions,
): Promise<readonly Outcome[]> {
  const perl = 'usr/bin/perl';
  const include = (root: string): string => `-I${root}/usr/lib/${options.triplet}/perl-base`;
  const command = (root: string): readonly string[] => [
    join(root, perl),
    include(root),
    '-e',
    loadScript,
    ...paths.map((path) => join(root, path)),
  ];
  const edited = await run(command(moved), options);
  const lines = resultsOf(edited);
  if (edited.code !== 0 || lines.length !== paths.length) {
    if (paths.length > 1) {
      return (await eachOf(paths, (path) => tryLibraries([path], moved, options))).flat();
    }
    return [{ kind: 'problem', text: `${paths[0] ?? ''}: ${JSON.stringify(edited)}` }];
  }
  if (lines.every((line) => line.endsWith(': loaded')))
    return lines.map(() => ({ kind: 'loaded' }));
  const original = await run([...byLoader(options, perl), ...command(options.root)], options);
  const before = resultsOf(original);
  return lines.map((line, index): Outcome => {
    if (line.endsWith(': loaded')) return { kind: 'loaded' };
    if (line === before[index]) return { kind: 'unloadable' };
    return { kind: 'problem', text: `${paths[index] ?? ''}: ${line}, not ${before[index] ?? ''}` };
  });
}

/** A library may write to the output, too. */
function resultsOf({ output }: Finished): readonly string[] {
  return output.split('\n').filter((line) => line.startsWith('@ '));
}

function byLoader(
  { root, loader, triplet }: RunEditedFilesOptions,
  program: string,
): readonly string[] {
  const path = libraryFolders(root, triplet).join(':');
  return [join(root, loader), '--library-path', path, '--argv0', join(root, program)];
}

interface Finished {
  /** What a signal ended has its name. */
  readonly code: number | string;
  readonly output: string;
}

async function run(command: readonly string[], options: RunEditedFilesOptions): Promise<Finished> {
  const [program = '', ...args] =
    options.emulator === undefined ? command : [options.emulator, ...command];
  const settings = {
    cwd: options.folder,
    timeout: 60_000,
    maxBuffer: 2 ** 26,
    env: { PATH: '/nonexistent', LC_ALL: 'C', PERL_DL_NONLAZY: '1' },
  };
  const child = exec(program, args, settings);
  child.child.stdin?.end();
  const places = [options.folder, options.root];
  try {
    const { stdout, stderr } = await child;
    return { code: 0, output: withoutPlaces(stdout + stderr, places) };
  } catch (error) {
    const { code, signal, stdout, stderr } = error as {
      readonly code: number | string | null;
      readonly signal: string | null;
      readonly stdout: string;
      readonly stderr: string;
    };
    return { code: code ?? signal ?? '', output: withoutPlaces(stdout + stderr, places) };
  }
}

/** Programs name themselves, and the loader what it could not find. */
function withoutPlaces(text: string, places: readonly string[]): string {
  return places
    .reduce(
      (rest, place) => rest.replaceAll(`${place}/moved`, 'ROOT').replaceAll(place, 'ROOT'),
      text,
    )
    .replaceAll(/ROOT\S*\/(?=[^/\s]+)/g, '');
}

function libraryFolders(root: string, triplet: string): readonly string[] {
  return ['lib', 'usr/lib'].map((name) => join(root, name, triplet));
}

function batches(paths: readonly string[]): readonly (readonly string[])[] {
  const count = Math.ceil(paths.length / librariesAtOnce);
  return Array.from({ length: count }, (_, index) =>
    paths.slice(index * librariesAtOnce, (index + 1) * librariesAtOnce),
  );
}

async function eachOf<T, R>(
  items: readonly T[],
  action: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await action(item);
  };
  await Promise.all(Array.from({ length: processesAtOnce }, worker));
  return results;
}
