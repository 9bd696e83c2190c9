import { expect, test } from 'vitest';
import { parseImageConfig } from './parse-image-config.ts';

const diffId = `sha256:${'c'.repeat(64)}`;
const minimal = {
  architecture: 'arm64',
  os: 'linux',
  rootfs: { type: 'layers', diff_ids: [diffId] },
};

test('reads what Docker writes, nulls and its own fields included', () => {
  const docker = {
    ...minimal,
    variant: 'v8',
    created: '2026-01-01T00:00:00Z',
    docker_version: '20.10',
    container_config: { Hostname: 'x' },
    config: {
      Hostname: '',
      Env: ['PATH=/bin'],
      Cmd: ['sh'],
      Entrypoint: null,
      Volumes: null,
      ExposedPorts: { '80/tcp': {} },
      Labels: { a: 'b' },
      WorkingDir: '/',
      User: '1000:1000',
      OnBuild: null,
    },
    history: [{ created: '2026-01-01T00:00:00Z', created_by: 'ADD', empty_layer: true }],
  };
  expect(parseImageConfig(JSON.stringify(docker))).toEqual({
    ...minimal,
    variant: 'v8',
    created: docker.created,
    config: {
      Env: ['PATH=/bin'],
      Cmd: ['sh'],
      ExposedPorts: { '80/tcp': {} },
      Labels: { a: 'b' },
      WorkingDir: '/',
      User: '1000:1000',
    },
    history: docker.history,
  });
});

test.each([
  [{ ...minimal, os: undefined }, /config\.os must be a string, not missing/],
  [{ ...minimal, rootfs: { type: 'x', diff_ids: [] } }, /config\.rootfs\.type must be "layers"/],
  [{ ...minimal, rootfs: { type: 'layers', diff_ids: ['x'] } }, /diff_ids\[0\] must be a digest/],
  [{ ...minimal, config: { Env: 'A=b' } }, /config\.config\.Env must be an array, not "A=b"/],
  [{ ...minimal, config: { Volumes: { '/v': 1 } } }, /Volumes\["\/v"\] must be an object, not 1/],
  [{ ...minimal, history: [{ empty_layer: 'no' }] }, /history\[0\]\.empty_layer must be true or/],
])('refuses, naming the field: %j', (value, message) => {
  expect(() => parseImageConfig(JSON.stringify(value))).toThrow(
    expect.objectContaining({
      code: 'image_config_invalid',
      message: expect.stringMatching(message),
    }),
  );
});
