import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { haveProgram, temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { loadSigningKey, signApiDocument } from '../../../tools/bottle-mirror/api-signature.ts';
import { startBottleMirror } from '../../../tools/bottle-mirror/bottle-mirror.ts';
import { debianUnavailable } from '../../../tools/debian/debian-unavailable.ts';
import { amd64, openTestBuilder } from './testing/open-test-builder.ts';
import { startTestServer } from './testing/start-test-server.ts';
import { writeOciLayout } from './write-oci-layout.ts';

const name = 'cxx-tool';
const needs = ['skopeo', 'umoci', 'chroot'].filter((program) => !haveProgram(program));
const skip =
  (await debianUnavailable()) ??
  (process.arch === 'x64' ? undefined : '(skipped: not an amd64 machine)') ??
  (process.getuid?.() === 0 ? undefined : '(skipped: chroot needs root)') ??
  (needs.length === 0 ? undefined : `(skipped: no ${needs.join(', ')})`);

/** A bottle with a C++ program that lists no dependency, as Homebrew's formulae do. */
async function bottleCxxProgram(folder: string): Promise<Buffer> {
  await mkdir(join(folder, name, '1.0', 'bin'), { recursive: true });
  const program = join(folder, name, '1.0', 'bin', name);
  // patchelf itself is written in C++. It reads an argument that starts with @ from a file.
  copyFileSync('/usr/bin/patchelf', program);
  const rpath = join(folder, 'rpath');
  writeFileSync(rpath, '@@HOMEBREW_PREFIX@@/opt/glibc/lib:@@HOMEBREW_PREFIX@@/lib');
  execFileSync('patchelf', ['--set-rpath', `@${rpath}`, program]);
  execFileSync('tar', ['czf', join(folder, 'bottle.tar.gz'), '-C', folder, name]);
  return readFileSync(join(folder, 'bottle.tar.gz'));
}

describe.skipIf(skip !== undefined)(`a package with a C++ program ${skip ?? ''}`, () => {
  test('gets gcc without naming it, and runs', async () => {
    await using folder = await temporaryFolder();
    await using mirror = await startBottleMirror({
      formulae: ['glibc'],
      platforms: ['x86_64_linux'],
    });
    const bottle = await bottleCxxProgram(folder.path);
    const sha256 = createHash('sha256').update(bottle).digest('hex');
    const url = `https://ghcr.io/v2/homebrew/core/${name}/blobs/sha256:${sha256}`;
    const formula = {
      name,
      versions: { stable: '1.0' },
      bottle: { stable: { files: { x86_64_linux: { url, sha256 } } } },
    };
    const key = await loadSigningKey(folder.path);
    await using server = await startTestServer(async (request, response) => {
      const path = request.url ?? '';
      if (path === '/api/formula.jws.json') {
        const others = await fetch(`${mirror.url}/api/formula.json`);
        const all = [...((await others.json()) as readonly unknown[]), formula];
        return response.end(signApiDocument(JSON.stringify(all), key));
      }
      if (path.includes(`/${name}/manifests/`)) return response.writeHead(404).end();
      if (path.includes(`/${name}/blobs/`)) {
        response.setHeader('content-length', bottle.length);
        return response.end(request.method === 'HEAD' ? undefined : bottle);
      }
      const { authorization = '' } = request.headers;
      const answer = await fetch(`${mirror.url}${path}`, { headers: { authorization } });
      response.writeHead(answer.status);
      return response.end(Buffer.from(await answer.arrayBuffer()));
    });
    await using opened = await openTestBuilder(join(folder.path, 'build'), {
      HOMEBREW_API_DOMAIN: `${server.url}/api`,
      HOMEBREW_ARTIFACT_DOMAIN: server.url,
      TAPLINE_HOMEBREW_KEY_FILE: key.publicKeyPath,
    });
    const built = await opened.builder.build({ formula: name, platforms: [amd64] });
    const layers = built.images[0]?.layers.map((layer) => layer.formula);
    expect(layers).toEqual(['glibc', 'gcc', name, undefined]);

    const layout = join(folder.path, 'layout');
    await writeOciLayout(opened.store, built, { directory: layout });
    const one = `${folder.path}/one:x`;
    execFileSync('skopeo', ['copy', '-q', `oci:${layout}`, `oci:${one}`]);
    const bundle = join(folder.path, 'bundle');
    execFileSync('umoci', ['unpack', `--image=${one}`, bundle], { stdio: 'ignore' });
    const command = built.images[0]?.mainCommand ?? '';
    const version = execFileSync('chroot', [join(bundle, 'rootfs'), command, '--version'], {
      encoding: 'utf8',
    });
    expect(version).toMatch(/^patchelf \d/);
  }, 120_000);
});
