import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packages } from './architecture/packages.ts';
import { findCycle } from './architecture/find-cycle.ts';
import { importsOf } from './architecture/imports-of.ts';

/**
 * Fails on an import against the tiers, on a cycle, on a deep import, and where the imports,
 * package.json and tsconfig references of a package disagree. The map is architecture/packages.ts.
 */
const root = join(fileURLToPath(import.meta.url), '..', '..');
const scope = '@tapline/';
const problems: string[] = [];

const folders = readdirSync(join(root, 'packages'));
for (const name of folders) {
  if (packages[name] === undefined) problems.push(`packages/${name} is not in the map`);
}
for (const name of Object.keys(packages)) {
  if (!folders.includes(name))
    problems.push(`the map names packages/${name}, which does not exist`);
}

const edges = new Map<string, ReadonlySet<string>>();
for (const name of folders) {
  const entry = packages[name];
  if (entry === undefined) continue;
  const folder = join(root, 'packages', name);
  const manifest = readJson(join(folder, 'package.json'));
  const tsconfig = readJson(join(folder, 'tsconfig.json'));
  const dependencies = scoped(manifest['dependencies']);
  const devDependencies = scoped(manifest['devDependencies']);
  const references = new Set(
    asArray(tsconfig['references']).map((reference) =>
      String(asRecord(reference)['path']).replace('../', ''),
    ),
  );
  const used = new Set<string>();
  for (const file of sourceFiles(join(folder, 'src'))) {
    const isTest = /\.test\.ts$|\/src\/testing\//.test(file);
    for (const specifier of importsOf(readFileSync(file, 'utf8'))) {
      if (!specifier.startsWith(scope)) continue;
      const where = relative(root, file);
      const [target = '', ...deep] = specifier.slice(scope.length).split('/');
      if (deep.length > 0)
        problems.push(`${where} imports ${specifier}: only a package's index is public`);
      if (isTest) {
        if (!dependencies.has(target) && !devDependencies.has(target) && target !== name) {
          problems.push(`${where} imports ${specifier}, which package.json does not list`);
        }
      } else {
        used.add(target);
      }
    }
  }
  edges.set(name, used);
  for (const target of used) {
    const other = packages[target];
    if (other === undefined) problems.push(`${name} imports ${target}, which is not in the map`);
    else if (other.tier > entry.tier) {
      problems.push(
        `${name} (tier ${entry.tier}) imports ${target} (tier ${other.tier}): imports go downwards`,
      );
    }
    if (other?.onlyTests === true) problems.push(`${name} imports ${target} outside tests`);
    if (!dependencies.has(target))
      problems.push(`${name} imports ${target}, but package.json does not list it`);
    if (!references.has(target))
      problems.push(`${name} imports ${target}, but tsconfig.json does not reference it`);
  }
  for (const listed of dependencies) {
    if (!used.has(listed))
      problems.push(`${name} lists ${listed} in package.json and does not import it`);
  }
  for (const listed of references) {
    if (!used.has(listed))
      problems.push(`${name} references ${listed} in tsconfig.json and does not import it`);
  }
  if (entry.pure && !String(tsconfig['extends']).endsWith('/pure.json')) {
    problems.push(
      `${name} is pure in the map, but tsconfig.json extends ${String(tsconfig['extends'])}`,
    );
  }
}

const cycle = findCycle(edges);
if (cycle !== undefined) problems.push(`cycle: ${cycle.join(' → ')}`);

for (const problem of problems) process.stderr.write(`architecture: ${problem}\n`);
if (problems.length > 0) process.exit(1);
process.stdout.write(`architecture: ${folders.length} packages, no edge upwards, no cycle\n`);

function sourceFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

function readJson(path: string): Record<string, unknown> {
  return asRecord(JSON.parse(readFileSync(path, 'utf8')));
}

function scoped(dependencies: unknown): ReadonlySet<string> {
  return new Set(
    Object.keys(asRecord(dependencies ?? {}))
      .filter((name) => name.startsWith(scope))
      .map((name) => name.slice(scope.length)),
  );
}

function asRecord(value: unknown): Record<string, unknown> {
  return value as Record<string, unknown>;
}

function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
