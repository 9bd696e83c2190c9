import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startRegistry } from '@tapline/registry';
import { haveProgram, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';

const run = promisify(execFile);

/** The official suite of OCI distribution, as a Go module; pinned, so that a run says the same twice. */
const module = 'github.com/opencontainers/distribution-spec/conformance';
const version = 'v0.0.0-20260831232431-97274622c111';

/** Everything the suite has, also what it leaves out unless asked for. */
const settings = {
  OCI_TLS: 'disabled',
  OCI_VERSION: '1.1',
  OCI_API_BLOBS_UPLOAD_CANCEL: 'true',
  OCI_API_BLOBS_DIGEST_HEADER: 'true',
  OCI_API_MANIFESTS_DIGEST_HEADER: 'true',
  OCI_API_MANIFESTS_TAG_PARAM: 'true',
};

/** Builds the suite, or answers undefined where Go has no way to its modules. */
async function buildSuite(folder: string): Promise<string | undefined> {
  const program = join(folder, 'conformance');
  await writeFile(join(folder, 'go.mod'), 'module conformance-run\n\ngo 1.24\n');
  const options = { cwd: folder, env: { ...process.env, GOFLAGS: '-mod=mod' } };
  try {
    await run('go', ['get', `${module}@${version}`], options);
  } catch (error) {
    if (/dial tcp|lookup|timeout|404|410|no such host/.test(String(error))) return undefined;
    throw error;
  }
  await run('go', ['build', '-o', program, module], options);
  return program;
}

describe.skipIf(!haveProgram('go'))('the conformance suite of OCI distribution (needs Go)', () => {
  test('passes whole', { timeout: 300_000 }, async (context) => {
    await using folder = await temporaryFolder();
    const program = await buildSuite(folder.path);
    if (program === undefined) return context.skip('the suite cannot be fetched');
    await using registry = await startRegistry({
      directory: join(folder.path, 'registry'),
      authorize: () => 'allowed',
    });
    const { stdout } = await run(program, [], {
      cwd: folder.path,
      maxBuffer: 64 * 1024 * 1024,
      env: { ...process.env, ...settings, OCI_REGISTRY: `127.0.0.1:${registry.port}` },
    });
    const count = (name: string): number =>
      Number(new RegExp(String.raw`^\s*${name}\.+:\s+(\d+)$`, 'm').exec(stdout)?.[1]);
    expect({ fail: count('FAIL'), error: count('Error'), skip: count('Skip') }).toEqual({
      fail: 0,
      error: 0,
      skip: 0,
    });
    expect(count('Pass')).toBeGreaterThan(900);
  });
});
