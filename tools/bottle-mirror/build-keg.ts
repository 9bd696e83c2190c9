import { chmod, lstat, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { TaplineError } from '@tapline/base';

import { unpackDebs } from '../debian/unpack-debs.ts';
import type { Bottle } from './bottle.ts';
import { listedDependencies } from './bottle-tab.ts';
import { formulaRuby } from './formula-ruby.ts';
import { gccLibFolder } from './keg-path.ts';
import { layOutKeg, setKegModes, walk } from './lay-out-keg.ts';
import { type FormulaPlan, pkgVersion } from './plan-formulae.ts';
import type { Platform } from './platform.ts';
import { type ElfFacts, readElfFacts } from './read-elf-facts.ts';
import { kegRpath, relocateElf } from './relocate-elf.ts';
import { isRelocatableText, relocateText } from './relocate-text.ts';

export interface BuildKegOptions {
  readonly plan: FormulaPlan;
  readonly platform: Platform;
  readonly debs: readonly string[];
  /** Bottles of the plan's candidates: where sonames are looked up. */
  readonly candidates: readonly Bottle[];
  /** An empty folder; the keg is made in it as `<formula>/<pkg_version>`. */
  readonly folder: string;
}

export type KegFacts = Pick<
  Bottle,
  'dependencies' | 'sonames' | 'changedFiles' | 'pathExecFiles' | 'modifiedTime' | 'installedBytes'
> & { readonly path: string };

/** Makes a poured-looking keg, with placeholders, out of Debian packages. */
export async function buildKeg(options: BuildKegOptions): Promise<KegFacts> {
  const { plan, platform, folder } = options;
  const formula = plan.entry.name;
  const keg = join(folder, formula, pkgVersion(plan));
  const unpacked = join(folder, '.unpacked');
  await mkdir(unpacked, { recursive: true });
  await unpackDebs(options.debs, unpacked);
  const { triplet } = platform;
  const layout = await layOutKeg(unpacked, keg, { formula, triplet });
  await rm(unpacked, { recursive: true, force: true });

  const elf = await readElfFacts(keg, layout.files);
  const libraries = findLibraries(formula, elf, options.candidates);
  const dependencies = [...libraries, ...(plan.entry.dependencies ?? [])].toSorted();
  const changedFiles: string[] = [];
  if (formula === 'glibc') {
    // Homebrew never patches glibc; its loader is what <prefix>/lib/ld.so leads to.
    await rm(join(keg, 'bin/ld.so'), { force: true });
    await symlink(`../lib/${platform.loader}`, join(keg, 'bin/ld.so'));
  } else {
    await relocateElf(keg, elf, kegRpath(formula, pkgVersion(plan), libraries));
    const programs = new Set(
      layout.files.filter((file) => file.startsWith('bin/')).map((f) => basename(f)),
    );
    const text = { formula, pkgVersion: pkgVersion(plan), triplet, programs };
    const binary = new Set(elf.map(({ path }) => path));
    for (const file of layout.files.filter((path) => !binary.has(path))) {
      if (await relocateTextFile(keg, file, text)) changedFiles.push(file);
    }
  }
  if (formula === 'gcc') await symlink(basename(gccLibFolder), join(keg, 'lib/gcc/current'));
  if (formula === 'ca-certificates') await bundleCertificates(keg, layout.files);
  await mkdir(join(keg, '.brew'));
  const ruby = formulaRuby(plan, listedDependencies(dependencies));
  await writeFile(join(keg, '.brew', `${formula}.rb`), ruby);
  await setKegModes(keg);
  return {
    path: keg,
    dependencies,
    sonames: providedSonames(elf),
    changedFiles,
    pathExecFiles: layout.files.filter((path) => /^s?bin\/[^/]+$/.test(path)),
    modifiedTime: layout.modifiedTime,
    installedBytes: await folderBytes(keg),
  };
}

function providedSonames(elf: readonly ElfFacts[]): readonly string[] {
  const libraries = elf.filter(({ path }) => path.startsWith('lib/'));
  return [...new Set(libraries.map(({ path, soname }) => soname ?? basename(path)))].toSorted();
}

/** The candidates that supply what the ELF files need; an unknown soname is a broken keg. */
function findLibraries(
  formula: string,
  elf: readonly ElfFacts[],
  candidates: readonly Bottle[],
): readonly string[] {
  const own = new Set(elf.map(({ path, soname }) => soname ?? basename(path)));
  const found = new Set<string>();
  for (const { path, needed } of elf) {
    for (const soname of needed.filter((name) => !own.has(name))) {
      const provider = candidates.find(({ sonames }) => sonames.includes(soname));
      if (provider === undefined) {
        throw new TaplineError(
          'soname_unresolved',
          `${formula}: ${path} needs ${soname}, which none of ${candidates.map((c) => c.formula).join(', ')} has`,
        );
      }
      found.add(provider.formula);
    }
  }
  return [...found].toSorted();
}

async function relocateTextFile(
  keg: string,
  file: string,
  options: Parameters<typeof relocateText>[2],
): Promise<boolean> {
  const path = join(keg, file);
  const content = await readFile(path);
  if (!isRelocatableText(file, content)) return false;
  const text = content.toString('latin1');
  const relocated = relocateText(file, text, options);
  if (relocated === text) return false;
  await chmod(path, (await lstat(path)).mode | 0o200);
  await writeFile(path, relocated, 'latin1');
  return true;
}

/** Homebrew ships one file of certificates; Debian makes it from many when it is installed. */
async function bundleCertificates(keg: string, files: readonly string[]): Promise<void> {
  const certificates = files.filter((path) => path.endsWith('.crt'));
  const texts = await Promise.all(certificates.map((path) => readFile(join(keg, path), 'utf8')));
  await writeFile(join(keg, 'share/ca-certificates/cacert.pem'), texts.join(''));
}

async function folderBytes(folder: string): Promise<number> {
  let total = 0;
  for (const path of await walk(folder)) total += (await lstat(join(folder, path))).size;
  return total;
}
