import { expect, test } from 'vitest';
import { bottleRegistryUrl, bottleUrl, catalogueUrl, homebrewDomains } from './homebrew-domains.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const gtk = {
  name: 'gtk+3',
  version: '3.24_1',
  rebuild: 2,
  tag: 'arm64_linux',
  url: `https://ghcr.io/v2/homebrew/core/gtkx3/blobs/${digest}`,
};

test('without variables everything comes from Homebrew', () => {
  const domains = homebrewDomains({});
  expect(domains.keyFile).toBeUndefined();
  expect(catalogueUrl(domains)).toBe('https://formulae.brew.sh/api/formula.jws.json');
  expect(bottleUrl(domains, gtk)).toBe(gtk.url);
  expect(bottleRegistryUrl(domains, 'openssl@3')).toBe(
    'https://ghcr.io/v2/homebrew/core/openssl/3',
  );
});

test('the API domain takes a path, with or without a slash at its end', () => {
  const domains = homebrewDomains({ HOMEBREW_API_DOMAIN: 'http://mirror/api/' });
  expect(catalogueUrl(domains)).toBe('http://mirror/api/formula.jws.json');
});

test('a mirror that signs for itself has its key named', () => {
  const domains = homebrewDomains({ TAPLINE_HOMEBREW_KEY_FILE: '/etc/tapline/mirror.pem' });
  expect(domains.keyFile).toBe('/etc/tapline/mirror.pem');
  expect(homebrewDomains({ TAPLINE_HOMEBREW_KEY_FILE: '' }).keyFile).toBeUndefined();
});

test('the artifact domain takes the place of scheme and host', () => {
  const domains = homebrewDomains({ HOMEBREW_ARTIFACT_DOMAIN: 'http://mirror:5000/ghcr' });
  expect(bottleUrl(domains, gtk)).toBe(
    `http://mirror:5000/ghcr/v2/homebrew/core/gtkx3/blobs/${digest}`,
  );
  expect(bottleRegistryUrl(domains, 'gtk+3')).toBe(
    'http://mirror:5000/ghcr/v2/homebrew/core/gtkx3',
  );
});

test('a bottle domain that is no registry has flat file names', () => {
  const domains = homebrewDomains({ HOMEBREW_BOTTLE_DOMAIN: 'https://mirror/bottles' });
  expect(bottleUrl(domains, gtk)).toBe(
    'https://mirror/bottles/gtk+3-3.24_1.arm64_linux.bottle.2.tar.gz',
  );
  expect(bottleRegistryUrl(domains, 'gtk+3')).toBeUndefined();
});

test('a bottle domain that is a registry has repositories', () => {
  const domains = homebrewDomains({ HOMEBREW_BOTTLE_DOMAIN: 'https://mirror/v2/homebrew/core' });
  expect(bottleUrl(domains, gtk)).toBe(`https://mirror/v2/homebrew/core/gtkx3/blobs/${digest}`);
});
