import { rawRequest } from './raw-connection.ts';
import type { Target } from './load.ts';

const installs = '/apis/tapline.dev/v1alpha1/installs';

export function installName(index: number): string {
  return `device-${index}.jq`;
}

/** An Install as a delivery makes it. */
function install(index: number): string {
  return JSON.stringify({
    apiVersion: 'tapline.dev/v1alpha1',
    kind: 'Install',
    metadata: { name: installName(index), labels: { team: 'design' } },
    spec: {
      device: `device-${index}`,
      delivery: 'jq',
      formula: 'jq',
      version: '1.7.1',
      revision: 1,
      image: {
        repository: 'homebrew/jq',
        digest: `sha256:${'0'.repeat(64)}`,
        platform: 'linux/arm64',
        sizeBytes: 1_234_567,
        unpackedBytes: 4_567_890,
        main: 'bin/jq',
      },
      health: { command: ['jq', '--version'] },
    },
  });
}

export function taplineTarget(port: number, token: string): Target {
  const headers = `Authorization: Bearer ${token}\r\n`;
  return {
    port,
    create: (index) => rawRequest('POST', installs, { headers, body: install(index) }),
    createdStatus: 201,
    watch: rawRequest('GET', `${installs}?watch=true&resourceVersion=`, { headers }),
    marker: (index) => `"name":"${installName(index)}"`,
  };
}

export function statusWrite(index: number, token: string): string {
  return rawRequest('PATCH', `${installs}/${installName(index)}/status`, {
    headers: `Authorization: Bearer ${token}\r\n`,
    type: 'application/merge-patch+json',
    body: JSON.stringify({
      status: {
        observedRevision: 1,
        state: 'Ready',
        active: { version: '1.7.1', digest: `sha256:${'0'.repeat(64)}`, revision: 1 },
        stages: { pulled: 0.01, unpacked: 0.004, started: 0.001, ready: 0.02, total: 0.035 },
      },
    }),
  });
}

function keyOf(index: number): string {
  return Buffer.from(`/registry/installs/${String(index).padStart(9, '0')}`).toString('base64');
}

/** The same object in etcd: created where the key is not there, as Kubernetes does it. */
export function etcdTarget(port: number): Target {
  const prefix = Buffer.from('/registry/installs/').toString('base64');
  const end = Buffer.from('/registry/installs0').toString('base64');
  return {
    port,
    create: (index) => {
      const key = keyOf(index);
      return rawRequest('POST', '/v3/kv/txn', {
        body: JSON.stringify({
          compare: [{ key, target: 'CREATE', result: 'EQUAL', create_revision: '0' }],
          success: [
            { request_put: { key, value: Buffer.from(install(index)).toString('base64') } },
          ],
        }),
      });
    },
    createdStatus: 200,
    watch: rawRequest('POST', '/v3/watch', {
      body: JSON.stringify({ create_request: { key: prefix, range_end: end } }),
    }),
    marker: (index) => keyOf(index),
  };
}
