import { parseDigest } from '@tapline/oci';
import { expect, test } from 'vitest';
import type { Keg } from './keg.ts';
import { parseFormula } from './parse-formula.ts';
import { planImageConfig, type PlannedImage } from './plan-image-config.ts';

const prefix = '/home/linuxbrew/.linuxbrew';
const diffId = parseDigest(`sha256:${'d'.repeat(64)}`);

function plan(keg: Partial<Keg>): PlannedImage {
  const formula = parseFormula(
    {
      name: 'redis',
      desc: 'Key-value store',
      license: 'AGPL-3.0-only',
      homepage: 'https://redis.io/',
      versions: { stable: '8.2' },
      bottle: {},
      service: { run: ['$HOMEBREW_PREFIX/opt/redis/bin/redis-server'], keep_alive: true },
    },
    'arm64_linux',
  );
  return planImageConfig({
    formula,
    tag: 'arm64_linux',
    bottleDigest: parseDigest(`sha256:${'b'.repeat(64)}`),
    layers: [{ diffId, createdBy: 'pour redis 8.2' }],
    keg: {
      name: 'redis',
      pkgVersion: '8.2',
      kegOnly: false,
      aliases: [],
      linkOverwrite: [],
      postInstall: [],
      version: '8.2',
      entries: [{ kind: 'file', path: 'bin/redis-cli', executable: true }],
      ...keg,
    },
  });
}

test('the image runs its main command as an ordinary user', () => {
  const { config, mainCommand } = plan({});
  expect(mainCommand).toBe(`${prefix}/bin/redis-cli`);
  expect(config).toMatchObject({
    os: 'linux',
    architecture: 'arm64',
    created: '1980-01-01T00:00:00.000Z',
    config: { User: '65532:65532', Entrypoint: [mainCommand], WorkingDir: '/home/nonroot' },
    rootfs: { type: 'layers', diff_ids: [diffId] },
  });
  expect(config.config?.Env).toContain(`PATH=${prefix}/bin:${prefix}/sbin`);
});

test('labels say what it is and how it runs', () => {
  const labels = plan({}).config.config?.Labels ?? {};
  expect(labels).toMatchObject({
    'org.opencontainers.image.title': 'redis',
    'org.opencontainers.image.version': '8.2',
    'org.opencontainers.image.licenses': 'AGPL-3.0-only',
    'sh.brew.bottle.digest': 'b'.repeat(64),
    'dev.tapline.main-command': `${prefix}/bin/redis-cli`,
    'dev.tapline.executables': JSON.stringify([`${prefix}/bin/redis-cli`]),
  });
  expect(JSON.parse(labels['dev.tapline.service'] ?? '')).toEqual({
    command: [`${prefix}/opt/redis/bin/redis-server`],
    keepAlive: true,
  });
});

test('a keg-only formula runs from opt', () => {
  const { config, mainCommand } = plan({ kegOnly: true });
  expect(mainCommand).toBe(`${prefix}/opt/redis/bin/redis-cli`);
  expect(config.config?.Env?.[0]).toMatch(`PATH=${prefix}/opt/redis/bin:`);
});

test('a package without commands has no entrypoint', () => {
  const { config, mainCommand, executables } = plan({ entries: [] });
  expect({ mainCommand, executables }).toEqual({ mainCommand: undefined, executables: [] });
  expect(config.config).not.toHaveProperty('Entrypoint');
});
