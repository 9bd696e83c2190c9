import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { temporaryFolder } from '@tapline/testing';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../../../..');
const source = join(root, 'packages/gateway');
const programs = join(root, 'node_modules/.bin');
/**
 * The services as devices in the field know them; a new field or call needs no other. Made by
 * `buf build --exclude-source-info`, and made anew only with a version of the services.
 */
const known = join(root, 'interop/rpc/services.json');

function buf(folder: string, ...words: readonly string[]): { code: number | null; out: string } {
  const { status, stdout, stderr } = spawnSync(join(programs, 'buf'), words, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${programs}${delimiter}${process.env['PATH']}` },
  });
  return { code: status, out: stdout + stderr };
}

test('the services keep to the style of buf, and to what devices in the field know', () => {
  expect(buf(source, 'lint')).toEqual({ code: 0, out: '' });
  expect(buf(source, 'breaking', '--against', known)).toEqual({ code: 0, out: '' });
});

const device = 'proto/tapline/device/v1/device.proto';
const gateway = 'proto/tapline/gateway/v1/gateway.proto';

/** What `buf breaking` says of the services with one of their lines changed. */
async function changed(
  file: string,
  change: { readonly from: RegExp; readonly to: string },
): Promise<ReturnType<typeof buf>> {
  await using folder = await temporaryFolder();
  cpSync(join(source, 'proto'), join(folder.path, 'proto'), { recursive: true });
  cpSync(join(source, 'buf.yaml'), join(folder.path, 'buf.yaml'));
  const path = join(folder.path, file);
  const text = readFileSync(path, 'utf8');
  expect(text).toMatch(change.from);
  writeFileSync(path, text.replace(change.from, change.to));
  return buf(folder.path, 'breaking', '--against', known);
}

test.each([
  ['a field of another type', device, { from: /bytes stdin = 2;/, to: 'string stdin = 2;' }],
  ['a field that is gone', device, { from: /^ *bytes stdin = 2;$/m, to: '' }],
  ['a call that is gone', gateway, { from: /^ *rpc ReportInstall\b.*;$/m, to: '' }],
])('%s would not be borne', async (_, file, change) => {
  const { code, out } = await changed(file, change);
  expect(code).not.toBe(0);
  expect(out).toMatch(/type|deleted/);
});

test('a field more is', async () => {
  const change = { from: /bytes stdin = 2;/, to: 'bytes stdin = 2; string more = 99;' };
  expect(await changed(device, change)).toEqual({ code: 0, out: '' });
});
