import { expect, test } from 'vitest';
import { parseRegistryConfiguration } from './registry-configuration.ts';

const path = '/etc/tapline/registry.yaml';
const environment = { SITE_B_PASSWORD: 'of site b' };

test('mirrors and policies as people write them', () => {
  const text = `
mirrors:
  - prefix: docker.io
    url: https://registry-1.docker.io
    tagTtl: 10m
    login: { username: dana, password: { file: docker-password } }
replication:
  - name: to-site-b
    direction: push
    url: https://site-b.example:5000
    caFile: site-b.pem
    login: { username: replicator, password: { environment: SITE_B_PASSWORD } }
    repositories: [team/**]
    tags: [v*, "!*-rc*"]
    platforms: [linux/arm64]
    prefix: mirror
    every: 1h
    bandwidth: 10MB/s
`;
  expect(parseRegistryConfiguration(text, { path, environment })).toEqual({
    mirrors: [
      {
        prefix: 'docker.io',
        url: 'https://registry-1.docker.io',
        tagTtlMs: 600_000,
        login: { username: 'dana', password: { file: '/etc/tapline/docker-password' } },
      },
    ],
    replication: [
      {
        name: 'to-site-b',
        direction: 'push',
        url: 'https://site-b.example:5000',
        caFile: '/etc/tapline/site-b.pem',
        login: { username: 'replicator', password: { text: 'of site b' } },
        repositories: ['team/**'],
        tags: ['v*', '!*-rc*'],
        platforms: [{ os: 'linux', architecture: 'arm64' }],
        prefix: 'mirror/',
        referrers: true,
        deletion: false,
        onPush: true,
        everyMs: 3_600_000,
        bytesPerSecond: 10_000_000,
      },
    ],
  });
  expect(parseRegistryConfiguration('', { path, environment })).toEqual({
    mirrors: [],
    replication: [],
  });
});

test.each([
  [
    'mirrors: [{ prefix: UPPER, url: "https://a" }]',
    'mirrors.0.prefix: is no part of a repository name',
  ],
  ['mirrors: [{ prefix: a, url: "ftp://a" }]', 'mirrors.0.url'],
  ['mirrors: [{ prefix: a, url: "https://a", colour: red }]', 'colour'],
  [
    'mirrors: [{ prefix: a, url: "https://a" }, { prefix: a, url: "https://b" }]',
    'prefix a is there twice',
  ],
  ['replication: [{ name: a, url: "https://a", direction: across }]', 'replication.0.direction'],
  ['replication: [{ name: a, url: "https://a", direction: push, every: soon }]', 'write it as 30s'],
  [
    'replication: [{ name: a, url: "https://a", direction: push, bandwidth: fast }]',
    'write it as 500kB/s',
  ],
  [
    'mirrors: [{ prefix: a, url: "https://a", login: { username: a, password: secret } }]',
    'mirrors.0.login.password',
  ],
  [
    'mirrors: [{ prefix: a, url: "https://a", login: { username: a, password: { environment: NONE } } }]',
    'NONE has no password for https://a',
  ],
  ['a: [', 'is not YAML'],
])('%s', (text, says) => {
  expect(() => parseRegistryConfiguration(text, { path, environment })).toThrow(says);
});
