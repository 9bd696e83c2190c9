import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { TaplineError } from '@tapline/base';

import { runProgram } from '../debian/run-program.ts';
import { walk } from './lay-out-keg.ts';
import type { PlatformTag } from './platform.ts';
import { readElfFacts } from './read-elf-facts.ts';

export interface PourOptions {
  readonly url: string;
  readonly platform: PlatformTag;
  /** Takes the place of `/home/linuxbrew/.linuxbrew`. */
  readonly prefix: string;
  /** Registry tag → which version of what was asked for to pour; the current one when left out. */
  readonly tag?: string;
}

interface Manifest {
  readonly manifests: readonly { readonly annotations: Readonly<Record<string, string>> }[];
}

interface Formula {
  readonly versions: { readonly stable: string };
  readonly revision: number;
  readonly dependencies: readonly string[];
  readonly uses_from_macos: readonly string[];
  readonly bottle: { readonly stable: { readonly rebuild: number } };
  readonly variations: Readonly<Record<string, { readonly dependencies?: readonly string[] }>>;
}

/**
 * Installs formulae and what they need from a mirror: as little of `brew install` as lets programs
 * start, with patchelf and none of Tapline's code, so that it can testify for the bottles alone.
 */
export async function pourBottles(
  formulae: readonly string[],
  options: PourOptions,
): Promise<void> {
  const { url, platform, prefix } = options;
  const poured = new Set<string>();
  const queue = [...formulae, 'glibc', 'gcc'];
  for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
    if (poured.has(name)) continue;
    poured.add(name);
    const document = (await fetchJson(`${url}/api/formula/${name}.json`)) as Formula;
    const { revision, versions, bottle } = document;
    const version = revision === 0 ? versions.stable : `${versions.stable}_${revision}`;
    const { rebuild } = bottle.stable;
    const current = rebuild === 0 ? version : `${version}-${rebuild}`;
    const dependencies = document.variations[platform]?.dependencies ?? document.dependencies;
    queue.push(...dependencies, ...document.uses_from_macos);
    await pour(name, formulae.includes(name) ? (options.tag ?? current) : current, options);
  }
  const lib = join(prefix, 'lib');
  await mkdir(lib);
  await symlink(join(prefix, 'opt/glibc/bin/ld.so'), join(lib, 'ld.so'));
  for (const name of await readdir(join(prefix, 'opt/gcc/lib/gcc/current'))) {
    await symlink(join(prefix, 'opt/gcc/lib/gcc/current', name), join(lib, name));
  }
}

async function pour(name: string, tag: string, options: PourOptions): Promise<void> {
  const { url, platform, prefix } = options;
  const repository = `${url}/v2/homebrew/core/${name.replace('@', '/')}`;
  const index = (await fetchJson(`${repository}/manifests/${tag}`)) as Manifest;
  const child = index.manifests.find(({ annotations }) =>
    [platform, 'all'].some((suffix) =>
      annotations['org.opencontainers.image.ref.name']?.includes(`.${suffix}`),
    ),
  );
  const digest = child?.annotations['sh.brew.bottle.digest'] ?? '';
  const bytes = await fetchBytes(`${repository}/blobs/sha256:${digest}`);
  if (createHash('sha256').update(bytes).digest('hex') !== digest) {
    throw new TaplineError('digest_mismatch', `bottle of ${name} ${tag} is not ${digest}`);
  }
  const cellar = join(prefix, 'Cellar');
  await mkdir(cellar, { recursive: true });
  await mkdir(join(prefix, 'opt'), { recursive: true });
  const archive = join(prefix, 'bottle.tar.gz');
  await writeFile(archive, bytes);
  await runProgram('tar', ['xzf', archive, '-C', cellar]);
  const [version = ''] = await readdir(join(cellar, name));
  const keg = join(cellar, name, version);
  await symlink(keg, join(prefix, 'opt', name));
  for (const elf of await readElfFacts(keg, await files(keg))) {
    if (elf.rpath === undefined || !elf.rpath.includes('@@')) continue;
    const path = join(keg, elf.path);
    await chmod(path, 0o755);
    const rpath = elf.rpath
      .replaceAll('@@HOMEBREW_PREFIX@@', prefix)
      .replaceAll('@@HOMEBREW_CELLAR@@', cellar);
    const loader = elf.interpreter?.replace('@@HOMEBREW_PREFIX@@', prefix);
    const setInterpreter = loader === undefined ? [] : ['--set-interpreter', loader];
    await runProgram('patchelf', [...setInterpreter, '--set-rpath', rpath, path]);
  }
}

/** Regular files that can be programs or libraries. */
async function files(keg: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const path of await walk(keg)) {
    if (!/^(bin|sbin|lib|libexec)\//.test(path) || path.includes('gconv/')) continue;
    if ((await lstat(join(keg, path))).isFile()) found.push(path);
  }
  return found;
}

async function fetchBytes(url: string): Promise<Buffer> {
  const response = await fetch(url, { headers: { authorization: 'Bearer QQ==' } });
  const bytes = Buffer.from(await response.arrayBuffer());
  if (response.ok) return bytes;
  throw new TaplineError('fetch_failed', `${url} answered ${response.status}: ${bytes.toString()}`);
}

async function fetchJson(url: string): Promise<unknown> {
  return JSON.parse((await fetchBytes(url)).toString());
}
