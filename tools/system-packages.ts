import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { systemPackages, type SystemPackage } from './system-packages/list.ts';

/**
 * Installs the Debian packages that Tapline's runtime and its tests' real peers come from, when run
 * as root on a Debian machine; elsewhere it says what is missing and what that leaves out.
 *
 *   node tools/system-packages.ts [--for demo|test]
 */
function main(argv: readonly string[]): void {
  const wanted = argv[0] === '--for' ? argv[1] : 'test';
  const missing = systemPackages.filter(
    (entry) => (wanted !== 'demo' || entry.demo) && !entry.programs.every(isOnPath),
  );
  if (missing.length === 0) return;
  const names = missing.map((entry) => entry.name);
  if (process.getuid?.() !== 0 || !isOnPath('apt-get')) {
    const why = isOnPath('apt-get') ? 'not root' : 'no apt-get here';
    for (const entry of missing) report(`${entry.name} is missing (${why}): ${entry.without}`);
    return;
  }
  report(`installing Debian packages: ${names.join(' ')}`);
  for (const attempt of installAttempts(names)) if (attempt()) return;
  // One name that the archive lacks must not cost the others.
  for (const entry of missing)
    if (!install([entry.name])) report(`${entry.name} could not be installed: ${entry.without}`);
}

function installAttempts(names: readonly string[]): readonly (() => boolean)[] {
  return [
    () => install(names),
    () => {
      spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
      return install(names);
    },
  ];
}

/** Debian starts what it installs, unless this program, where there is one, says no. */
const policyProgram = '/usr/sbin/policy-rc.d';

function install(names: readonly string[]): boolean {
  // Daemons are wanted as programs only: what a test needs of them it starts itself.
  const isOurs = writeUnlessThere(policyProgram, '#!/bin/sh\nexit 101\n');
  try {
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], {
      stdio: ['ignore', 'ignore', 'ignore'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    return true;
  } catch {
    return false;
  } finally {
    if (isOurs) rmSync(policyProgram, { force: true });
  }
}

function writeUnlessThere(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o755 });
    return true;
  } catch {
    // The machine's owner has a policy, which stays.
    return false;
  }
}

function isOnPath(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function report(line: string): void {
  process.stderr.write(`system-packages: ${line}\n`);
}

export type { SystemPackage };

main(process.argv.slice(2));
