import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '@tapline/testing';
import { storedCodeName } from '@tapline/userland';
import { expect, test } from 'vitest';
import type { ShellContent } from './shell-content.ts';
import { withKeptCode } from './with-kept-code.ts';

const nothing: ShellContent = {
  get: () => Promise.resolve(undefined),
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

test('code is served by its name, when it is whole, and nothing else of the folder', async () => {
  await using folder = await temporaryFolder();
  const code = Buffer.from('translated');
  const kept = Buffer.concat([createHash('sha256').update(code).digest(), code]);
  const name = storedCodeName('aa');
  await writeFile(join(folder.path, name), kept);
  await writeFile(join(folder.path, storedCodeName('bb')), kept.subarray(1));
  await writeFile(join(folder.path, 'page.key'), kept);
  await using content = withKeptCode(nothing, folder.path);
  expect(Buffer.from((await content.get(`code/${name}`))?.body as Uint8Array)).toEqual(code);
  for (const other of [storedCodeName('bb'), storedCodeName('cc'), 'page.key', `../${name}`]) {
    expect(await content.get(`code/${other}`)).toBeUndefined();
  }
});
