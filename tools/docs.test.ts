import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandGroups, loadAll, parseCommandLine } from '@tapline/cli';
import { describe, expect, test } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const documents = ['README.md', ...globSync('docs/**/*.md', { cwd: root })];
const sources = globSync(
  ['*.json', '{packages,tools,tests,bench,tsconfig}/**/*.{ts,json}', 'docs/**/*.md'],
  {
    cwd: root,
    exclude: ['**/node_modules', '**/dist'],
  },
);

function linesOf(document: string): readonly string[] {
  return readFileSync(join(root, document), 'utf8').split('\n');
}

/** Source files and documents named in code spans. What a URL or a user's folder has is no path. */
function pathsIn(line: string): readonly string[] {
  return [...line.matchAll(/`([\w./-]+\.(?:ts|md))`/g)].map(([, path = '']) => path);
}

/**
 * A path is from the root or below packages/. After one of a package, the same line goes on with the
 * end of a path in that package.
 */
function missingPaths(line: string): readonly string[] {
  let folder = '';
  return pathsIn(line).filter((path) => {
    const found = [path, `packages/${path}`].find((full) => sources.includes(full));
    if (found === undefined) {
      return !sources.some((full) => full.startsWith(folder) && full.endsWith(`/${path}`));
    }
    folder = /^packages\/[^/]+\//.exec(found)?.[0] ?? folder;
    return false;
  });
}

/**
 * Command lines of this program: at a prompt, in a pipe or a substitution, and in code spans. The
 * generated reference's usage lines have no prompt; what a command prints has none either.
 */
function commandsIn(document: string): readonly string[] {
  const commands: string[] = [];
  let fence = '';
  for (const line of linesOf(document)) {
    const marker = /^```(\w*)/.exec(line);
    if (marker !== null) fence = fence === '' ? (marker[1] ?? '') || 'text' : '';
    const pattern =
      fence === '' ? /`(?:\.\/)?tapline ([^`]+)`/g : /(?:\$ |\| |<\(|^\.\/)tapline ([^#)|]+)/g;
    for (const [, words = ''] of line.matchAll(pattern)) commands.push(words);
  }
  return commands;
}

function split(words: string): readonly string[] {
  return [...words.matchAll(/"([^"]*)"|'([^']*)'|\S+/g)].map(
    ([word, double, single]) => double ?? single ?? word,
  );
}

describe.each(documents)('%s', (document) => {
  test('names files that exist', () => {
    expect(linesOf(document).flatMap(missingPaths)).toEqual([]);
  });

  test('links to files that exist', () => {
    const targets = linesOf(document).flatMap((line) =>
      [...line.replaceAll(/`[^`]*`/g, '').matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(
        ([, target = '']) => target,
      ),
    );
    const broken = targets.filter(
      (target) => !target.includes(':') && !existsSync(join(root, dirname(document), target)),
    );
    expect(broken).toEqual([]);
  });

  test('has command lines that parse', async () => {
    const groups = await loadAll(commandGroups);
    const declared = new Map(groups.flatMap(({ commands }) => commands));
    for (const line of commandsIn(document)) {
      const words = split(line);
      const length = declared.has(words.slice(0, 2).join(' ')) ? 2 : 1;
      const command = declared.get(words.slice(0, length).join(' '));
      expect(command, `tapline ${line}`).toBeDefined();
      const rest = words.slice(length);
      // Prose names a command without its arguments.
      if (command === undefined || rest.length === 0) continue;
      expect(() => parseCommandLine(command, rest, {}), line).not.toThrow();
    }
  });
});

test('the README has command lines, and ARCHITECTURE names files', () => {
  expect(commandsIn('README.md').length).toBeGreaterThan(10);
  expect(linesOf('docs/ARCHITECTURE.md').flatMap(pathsIn).length).toBeGreaterThan(30);
});
