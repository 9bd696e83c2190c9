import { execFile } from 'node:child_process';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { bundlePrograms } from './bundle-programs.ts';
import { temporaryFolder } from './temporary-folder.ts';

test('programs of TypeScript become programs of JavaScript that share what both import', async () => {
  await using sources = await temporaryFolder();
  const at = (name: string): string => join(sources.path, name);
  await writeFile(
    at('greet.ts'),
    'export const greet = (whom: string): string => `hello ${whom}`;',
  );
  for (const whom of ['one', 'two']) {
    const text = `import { greet } from './greet.ts';\nconsole.log(greet('${whom}'));\n`;
    await writeFile(at(`${whom}.ts`), text);
  }
  const programs = await bundlePrograms({ first: at('one.ts'), second: at('two.ts') });
  const ran = await promisify(execFile)(process.execPath, [join(programs.path, 'second.js')]);
  expect(ran.stdout).toBe('hello two\n');
  expect((await readdir(programs.path)).length).toBe(3);
  await programs[Symbol.asyncDispose]();
  await expect(readdir(programs.path)).rejects.toThrow('ENOENT');
});

test('a program that cannot be made says which import it is for', async () => {
  await using sources = await temporaryFolder();
  const path = join(sources.path, 'broken.ts');
  await writeFile(path, "import './nowhere.ts';\n");
  await expect(bundlePrograms({ broken: path })).rejects.toThrow('nowhere.ts');
});
