import { systemClock } from '@tapline/base';
import { homebrewDomains } from '@tapline/brew';
import { temporaryFolder } from '@tapline/testing';
import { describe, expect, test } from 'vitest';
import { loadSigningKey, signApiDocument } from '../../../tools/bottle-mirror/api-signature.ts';
import type { DocumentCache, DocumentRequest } from './document-cache.ts';
import { loadHomebrewApiKey } from './homebrew-api-key.ts';
import { createHomebrewApi, type HomebrewApi } from './homebrew-api.ts';

const digest = 'ab'.repeat(32);

function openApi(
  environment: Readonly<Record<string, string>>,
  documents: Readonly<Record<string, string>> = {},
): { readonly api: HomebrewApi; readonly asked: (DocumentRequest & { readonly url: string })[] } {
  const asked: (DocumentRequest & { readonly url: string })[] = [];
  const cache: DocumentCache = {
    async get(url, request) {
      asked.push({ url, ...request });
      return documents[url];
    },
    fetch: () => Promise.resolve(undefined),
  };
  const api = createHomebrewApi({
    documents: cache,
    domains: homebrewDomains(environment),
    clock: systemClock,
    key: loadHomebrewApiKey(undefined),
  });
  return { api, asked };
}

describe('credentials', () => {
  const blob = '/v2/homebrew/core/jq/blobs/sha256:x';
  const bearer = { authorization: 'Bearer QQ==' };

  test.each([
    ['ghcr.io itself', {}, `https://ghcr.io${blob}`, bearer],
    ["a formula's own place", {}, 'https://example.org/jq.tar.gz', {}],
    ['another port of it', {}, `https://ghcr.io:8443${blob}`, {}],
    [
      'a mirror of all artifacts',
      { HOMEBREW_ARTIFACT_DOMAIN: 'http://mirror.lan:80' },
      `http://mirror.lan${blob}`,
      bearer,
    ],
    [
      'what is not mirrored',
      { HOMEBREW_ARTIFACT_DOMAIN: 'http://mirror.lan' },
      `https://ghcr.io${blob}`,
      {},
    ],
    [
      'a registry of bottles',
      { HOMEBREW_BOTTLE_DOMAIN: 'https://lan/v2/brew' },
      'https://lan/v2/brew/jq/blobs/sha256:x',
      bearer,
    ],
    [
      'a folder of bottles',
      { HOMEBREW_BOTTLE_DOMAIN: 'https://lan/bottles' },
      'https://lan/bottles/jq-1.0.x86_64_linux.bottle.tar.gz',
      {},
    ],
  ])('for %s', (_name, environment, url, headers) => {
    expect(openApi(environment).api.registryHeaders(url)).toEqual(headers);
  });
});

test('bottles are told apart by their names, since `all` ones have no platform', async () => {
  const child = (name: string, platform?: object): object => ({
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    digest: `sha256:${digest}`,
    size: 1,
    ...(platform && { platform }),
    annotations: {
      'org.opencontainers.image.ref.name': name,
      'sh.brew.bottle.digest': digest,
      'sh.brew.bottle.size': '123',
    },
  });
  const url = 'https://ghcr.io/v2/homebrew/core/gtkx3/manifests/3.24.50_1-2';
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      child('3.24.50_1.all.2'),
      child('3.24.50_1.x86_64_linux.2', { os: 'linux', architecture: 'amd64' }),
      child('3.24.50_1.arm64_tahoe.2', { os: 'darwin', architecture: 'arm64' }),
    ],
  };
  const { api, asked } = openApi({}, { [url]: JSON.stringify(index) });
  const bottles = await api.bottles('gtk+3', '3.24.50_1-2');
  expect([...(bottles?.keys() ?? [])]).toEqual(['all', 'x86_64_linux', 'arm64_tahoe']);
  expect(bottles?.get('all')).toMatchObject({
    pkgVersion: '3.24.50_1',
    digest: `sha256:${digest}`,
    size: 123,
    url: `https://ghcr.io/v2/homebrew/core/gtkx3/blobs/sha256:${digest}`,
  });
  expect(asked[0]?.headers).toMatchObject({ authorization: 'Bearer QQ==' });
});

test('a mirror without the list for all machines has one for each', async () => {
  await using folder = await temporaryFolder();
  const key = await loadSigningKey(folder.path);
  const formulae = { jq: { stable_version: '1.8', bottle_checksum: digest } };
  const signed = signApiDocument(JSON.stringify({ formulae, formula_aliases: { j: 'jq' } }), key);
  const asked: string[] = [];
  const api = createHomebrewApi({
    documents: {
      get: () => Promise.resolve(undefined),
      fetch(url) {
        asked.push(url.slice(url.indexOf('/api/')));
        const text = url.endsWith('packages.arm64_linux.jws.json') ? signed : undefined;
        return Promise.resolve(
          text === undefined
            ? undefined
            : { kind: 'document', text, etag: undefined, cached: false },
        );
      },
    },
    domains: homebrewDomains({}),
    clock: systemClock,
    key: loadHomebrewApiKey(key.publicKeyPath),
  });
  expect(await api.formula('j', 'arm64_linux')).toMatchObject({ name: 'jq', stableVersion: '1.8' });
  expect(await api.formula('none', 'arm64_linux')).toBeUndefined();
  expect(asked).toEqual(['/api/formula.jws.json', '/api/internal/packages.arm64_linux.jws.json']);
  await expect(api.formula('jq', 'x86_64_linux')).rejects.toMatchObject({
    code: 'homebrew_signature_invalid',
    details: { reason: 'missing' },
  });
});
