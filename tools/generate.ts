import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedFiles } from './generated/generated-files.ts';

/** Writes what derives from declarations: the CLI reference, exit codes, CRDs. `npm run generate`. */
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
for (const { path, text } of await generatedFiles()) {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  process.stdout.write(`generated ${path}\n`);
}
