import type { InstallRecord } from '@tapline/agent';
import { expect, test } from 'vitest';
import { installRow } from './install-row.ts';

const spec = {
  device: 'd1',
  delivery: 'jq',
  formula: 'jq',
  version: '1.8',
  revision: 2,
  image: {
    repository: 'jq',
    digest: `sha256:${'a'.repeat(64)}`,
    platform: 'linux/arm64',
    sizeBytes: 1,
    unpackedBytes: 1,
    main: 'jq',
  },
} as const;
const record: InstallRecord = {
  uid: 'u1',
  name: 'd1.jq',
  desired: spec,
  active: undefined,
  previous: undefined,
  failed: undefined,
  finished: undefined,
  restarts: 0,
  removing: false,
};
const failed = { revision: 2, error: { code: 'health_check_failed', message: 'no' } } as const;
const before = { ...spec, revision: 1, version: '1.7' };

test.each([
  [{}, { state: 'Working', version: '1.8', why: '', suggestion: undefined }],
  [{ active: spec }, { state: 'Ready', version: '1.8', why: '', suggestion: 'jq' }],
  [{ active: before }, { state: 'Working', version: '1.7' }],
  [{ failed }, { state: 'Failed', why: 'no (health_check_failed)' }],
  [
    { active: before, failed },
    { state: 'RolledBack', version: '1.7' },
  ],
  [{ active: spec, removing: true }, { state: 'Removing' }],
])('%o', (more, row) => {
  expect(installRow({ ...record, ...more })).toMatchObject(row);
});
