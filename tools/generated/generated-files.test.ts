import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { generatedFiles } from './generated-files.ts';

const root = join(fileURLToPath(import.meta.url), '..', '..', '..');

test('generated files are what `npm run generate` makes', async () => {
  for (const { path, text } of await generatedFiles()) {
    expect(readFileSync(join(root, path), 'utf8'), path).toBe(text);
  }
});
