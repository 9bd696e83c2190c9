import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { errorMessage, isTaplineError, TaplineError } from '@tapline/base';

import { cacheFolder } from './cache-folder.ts';
import { parseControlFile } from './control-file.ts';
import { type DebianMirror, findDebianMirror } from './debian-mirror.ts';
import { type DebianPackage, toDebianPackage } from './debian-package.ts';
import { runProgram } from './run-program.ts';

export interface AptRootOptions {
  readonly suite: 'bookworm' | 'trixie';
  readonly architecture: 'amd64' | 'arm64' | 'i386';
  /** Shared by all runs of this user; `~/.cache/tapline/debian` when left out. */
  readonly cache?: string;
  /** The machine's configured mirror when left out. */
  readonly mirror?: DebianMirror;
  readonly signal?: AbortSignal;
}

/**
 * An apt of its own for one Debian suite and architecture: the machine's packages, lists and
 * configuration hooks are neither read nor changed, and root is not needed.
 */
export interface AptRoot {
  readonly suite: AptRootOptions['suite'];
  readonly architecture: AptRootOptions['architecture'];
  /** What the index says of these packages; names it does not know are left out. */
  show(names: readonly string[]): Promise<readonly DebianPackage[]>;
  /** Paths of the packages' .deb files, in the cache. */
  download(packages: readonly DebianPackage[]): Promise<readonly string[]>;
}

/** Opens the root, fetching the suite's index when the cache has none yet. */
export async function openAptRoot(options: AptRootOptions): Promise<AptRoot> {
  const { suite, architecture, signal } = options;
  const cache = options.cache ?? cacheFolder('debian');
  const root = join(cache, `${suite}-${architecture}`);
  const debs = join(cache, 'debs');
  await mkdir(join(root, 'lists/partial'), { recursive: true });
  await mkdir(join(root, 'cache/archives/partial'), { recursive: true });
  await mkdir(join(root, 'no-parts'), { recursive: true });
  await mkdir(debs, { recursive: true });
  const mirror = options.mirror ?? (await findDebianMirror());
  await replaceFile(join(root, 'status'), '');
  await replaceFile(join(root, 'debian.sources'), sourcesFile(mirror, suite));
  await replaceFile(join(root, 'apt.conf'), await aptConfiguration(root, architecture));
  const run = {
    env: { APT_CONFIG: join(root, 'apt.conf') },
    ...(signal === undefined ? {} : { signal }),
  };
  const updated = join(root, 'updated');
  const shown = join(root, 'shown');

  async function update(when: 'missing' | 'now'): Promise<void> {
    // Without Error-Mode apt-get forgives an unreachable mirror and succeeds with no index.
    const script =
      'test "$1" = missing && test -e "$2" || ' +
      '{ apt-get -q -o APT::Update::Error-Mode=any update && rm -rf "$3" && : > "$2"; }';
    // The kernel releases flock when its holder dies, so a crash leaves no lock behind.
    const args = [join(root, 'update.lock'), 'sh', '-c', script, 'sh', when, updated, shown];
    try {
      await runProgram('flock', args, run);
    } catch (error) {
      throw unreachable(`cannot fetch the index of Debian ${suite} (${architecture})`, error);
    }
  }

  /** apt-cache takes a third of a second, so its answers are kept until the next update. */
  async function showText(names: readonly string[]): Promise<string> {
    const key = createHash('sha256').update(names.join(' ')).digest('hex');
    const path = join(shown, key.slice(0, 16));
    if (existsSync(path)) return readFile(path, 'utf8');
    // 100: some of the names are unknown; the others are printed all the same.
    const args = ['show', '--no-all-versions', ...names];
    const text = await runProgram('apt-cache', args, { ...run, accept: [0, 100] });
    await mkdir(shown, { recursive: true });
    await replaceFile(path, text);
    return text;
  }

  async function download(item: DebianPackage): Promise<string> {
    const file = `${item.name}_${item.version.replaceAll(':', '%3a')}_${item.architecture}.deb`;
    const path = join(debs, `${item.sha256.slice(0, 16)}-${file}`);
    if (existsSync(path)) return path;
    const folder = await mkdtemp(join(debs, '.incoming-'));
    try {
      // apt verifies the file against the signed index.
      const args = ['-q', 'download', `${item.name}=${item.version}`];
      await runProgram('apt-get', args, { ...run, cwd: folder });
      const [name] = await readdir(folder);
      if (name === undefined) {
        throw new TaplineError('apt_unreachable', `apt-get stored no file for ${item.name}`);
      }
      await rename(join(folder, name), path);
      return path;
    } catch (error) {
      // The mirror may have moved on since the index was fetched. Offline, this says so.
      await update('now');
      throw unreachable(`cannot download ${item.name} ${item.version}, index renewed`, error);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  if (!existsSync(updated)) await update('missing');
  return {
    suite,
    architecture,
    async show(names) {
      if (names.length === 0) return [];
      const text = await showText(names);
      return parseControlFile(text)
        .map((fields) => toDebianPackage(fields))
        .filter((item) => item !== undefined);
    },
    async download(packages) {
      const paths: string[] = [];
      for (const item of packages) paths.push(await download(item));
      return paths;
    },
  };
}

function sourcesFile(mirror: DebianMirror, suite: string): string {
  return [
    'Types: deb',
    `URIs: ${mirror.uri}`,
    `Suites: ${suite}`,
    'Components: main',
    `Signed-By: ${mirror.signedBy}`,
    '',
  ].join('\n');
}

async function aptConfiguration(root: string, architecture: string): Promise<string> {
  // Proxies, time-outs and the like of the machine apply; its hooks and index targets do not.
  const machine = await runProgram('apt-config', ['dump', 'Acquire']);
  const acquire = machine
    .split('\n')
    .filter((line) => /^Acquire::(?!IndexTargets|Languages|GzipIndexes|Changelogs)\S/.test(line));
  return [
    ...acquire,
    `Dir::State "${root}";`,
    `Dir::State::lists "${root}/lists";`,
    `Dir::State::status "${root}/status";`,
    `Dir::Cache "${root}/cache";`,
    // Only pays where sources change often; it would double the cache.
    'Dir::Cache::srcpkgcache "";',
    `Dir::Etc::sourcelist "${root}/debian.sources";`,
    `Dir::Etc::sourceparts "${root}/no-parts";`,
    `Dir::Etc::parts "${root}/no-parts";`,
    'Dir::Etc::main "/dev/null";',
    `APT::Architecture "${architecture}";`,
    `APT::Architectures { "${architecture}"; };`,
    // The cache belongs to this user, where the _apt user may not write.
    'APT::Sandbox::User "root";',
    'Acquire::Languages "none";',
    '',
  ].join('\n');
}

/** Leaves a file alone that is as wanted: apt rebuilds its cache when its inputs look newer. */
async function replaceFile(path: string, text: string): Promise<void> {
  if (existsSync(path) && (await readFile(path, 'utf8')) === text) return;
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}

function unreachable(what: string, cause: unknown): TaplineError {
  if (isTaplineError(cause, 'program_missing')) return cause;
  return new TaplineError('apt_unreachable', `${what}: ${errorMessage(cause)}`, {
    cause,
    hint: 'check that apt-get update works on this machine and that Debian is reachable',
  });
}
