import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

interface ErrorUse {
  readonly code: string;
  readonly message: string;
  readonly package: string;
}

const construction =
  /\bnew TaplineError\(\s*'([a-z0-9_]+)',\s*(?:`((?:[^`\\]|\\.)*)`|'((?:[^'\\]|\\.)*)')?/g;

/** The reference of every error code, from where errors are made. */
export function errorReference(root: string): string {
  const folder = join(root, 'packages');
  const uses = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(
      (entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'),
    )
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => relative(folder, path).split('/')[1] === 'src' && !path.includes('/testing/'))
    .flatMap((path) =>
      usesIn(readFileSync(path, 'utf8'), relative(folder, path).split('/')[0] ?? ''),
    );
  const codes = Map.groupBy(uses, (use) => use.code);
  const rows = [...codes]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, all]) => {
      const messages = [
        ...new Set(all.map((use) => use.message).filter((text) => text !== '')),
      ].toSorted();
      const packages = [...new Set(all.map((use) => use.package))].toSorted();
      const shown = messages.slice(0, 3).map((text) => text.replaceAll('|', '\\|'));
      return `| \`${code}\` | ${shown.join('<br>')}${messages.length > 3 ? '<br>…' : ''} | ${packages.join(', ')} |\n`;
    });
  return `# Error codes

Generated from where errors are made by \`npm run generate\`. Codes are stable: programs may depend on
them. Messages name the value and the limit where … stands. With \`-o json\` an error is
\`{"error": {"code", "message", "hint", "details"}}\`.

| code | says | from |
|---|---|---|
${rows.join('')}`;
}

/** The errors that a source file makes, with … for what is known only then. */
export function usesIn(source: string, from: string): readonly ErrorUse[] {
  return [...source.matchAll(construction)].map(([, code = '', template, plain]) => ({
    code,
    message: (template ?? plain ?? '')
      .replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '…')
      .replaceAll(/\s+/g, ' '),
    package: from,
  }));
}
