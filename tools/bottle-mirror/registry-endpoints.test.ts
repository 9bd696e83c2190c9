import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { haveProgram, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';

import { debianUnavailable } from '../debian/debian-unavailable.ts';
import { runProgram } from '../debian/run-program.ts';
import { startBottleMirror } from './bottle-mirror.ts';

const reason = haveProgram('skopeo') ? await debianUnavailable() : '(needs skopeo)';

describe.skipIf(reason !== undefined)(`skopeo at the bottle mirror ${reason ?? ''}`, () => {
  test('gets a token, follows the redirect and verifies every digest', async () => {
    await using mirror = await startBottleMirror({ formulae: ['jq'], platforms: ['x86_64_linux'] });
    await using folder = await temporaryFolder();
    const image = `docker://${mirror.url.replace('http://', '')}/homebrew/core/jq:1.6`;
    const target = join(folder.path, 'image');
    const choice = ['--override-os=linux', '--override-arch=amd64'];
    const copy = ['copy', '--src-tls-verify=false', image, `oci:${target}:jq`];
    await runProgram('skopeo', [...choice, ...copy]);
    // Manifest, configuration and the bottle.
    expect(await readdir(join(target, 'blobs/sha256'))).toHaveLength(3);
  });
});
