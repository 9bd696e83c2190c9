import type { Delivery } from '@tapline/resources';
import { describe, expect, test } from 'vitest';
import { deliveryProgress } from './delivery-progress.ts';
import { describeOutcome } from './describe-outcome.ts';
import { formatWaterfall } from './format-waterfall.ts';
import { parsePackageReference, resolvePackageReference } from './package-reference.ts';
import { parseSelector } from './parse-selector.ts';

describe('parsePackageReference', () => {
  test.each([
    ['jq', undefined, { formula: 'jq' }],
    ['jq@1.7.1', undefined, { formula: 'jq', version: '1.7.1' }],
    ['curl@8.9.1_2', undefined, { formula: 'curl', version: '8.9.1_2' }],
    ['openssl@3', undefined, { formula: 'openssl@3' }],
    ['python@3.12', undefined, { formula: 'python@3.12' }],
    ['openssl@3@3.3', undefined, { formula: 'openssl@3', version: '3.3' }],
    ['jq', '1.6', { formula: 'jq', version: '1.6' }],
  ])('%s with --version %s', (text, version, expected) => {
    expect(parsePackageReference(text, version)).toEqual(expected);
  });

  test.each(['', '@1', 'jq@'])('%j is refused', (text) => {
    expect(() => parsePackageReference(text)).toThrow('is not FORMULA');
  });
});

test('a short number behind @ is a version of what is delivered under the plain name', async () => {
  const resolve = (text: string) =>
    resolvePackageReference(text, { isDelivered: (formula) => Promise.resolve(formula === 'jq') });
  expect(await resolve('jq@1.6')).toEqual({ formula: 'jq', version: '1.6' });
  expect(await resolve('openssl@3')).toEqual({ formula: 'openssl@3' });
});

describe('parseSelector', () => {
  test('labels that must be equal and expressions', () => {
    expect(
      parseSelector(['team=design', 'tier!=test', 'region in (eu, us)', 'gpu', '!old']),
    ).toEqual({
      matchLabels: { team: 'design' },
      matchExpressions: [
        { key: 'tier', operator: 'NotIn', values: ['test'] },
        { key: 'region', operator: 'In', values: ['eu', 'us'] },
        { key: 'gpu', operator: 'Exists' },
        { key: 'old', operator: 'DoesNotExist' },
      ],
    });
  });

  test('all selects everything, and nonsense is refused', () => {
    expect(parseSelector(['all'])).toEqual({});
    expect(() => parseSelector(['a b'])).toThrow('"a b" selects nothing');
  });
});

test('a waterfall begins each bar where the one above ends', () => {
  const text = formatWaterfall(
    [
      { name: 'pulled', seconds: 0.03 },
      { name: 'started', seconds: 0.01 },
    ],
    8,
  );
  expect(text).toBe(
    '  pulled    30.0 ms  ██████\n  started   10.0 ms        ██\n  total     40.0 ms\n',
  );
});

const condition = (type: string, status: 'True' | 'False', reason: string) => ({
  type,
  status,
  reason,
  message: `${reason} it is`,
  lastTransitionTime: '2026-01-01T00:00:00Z',
});

function delivery(status: Delivery['status']): Delivery {
  return {
    apiVersion: 'tapline.dev/v1alpha1',
    kind: 'Delivery',
    metadata: { name: 'jq', generation: 2 },
    spec: { package: { formula: 'jq' }, selector: {}, rollout: 1 },
    ...(status === undefined ? {} : { status }),
  };
}

describe('deliveryProgress', () => {
  test('a status of an older generation is no answer', () => {
    const old = delivery({
      observedGeneration: 1,
      conditions: [condition('Ready', 'True', 'AllReady')],
    });
    expect(deliveryProgress(old, 2).kind).toBe('waiting');
    expect(deliveryProgress(old, 1).kind).toBe('ready');
  });

  test('not ready and no longer progressing is failed, with the code of the error', () => {
    const stopped = delivery({
      observedGeneration: 2,
      error: { code: 'formula_not_found', message: 'no jqq' },
      conditions: [
        condition('Ready', 'False', 'Failed'),
        condition('Progressing', 'False', 'Failed'),
      ],
    });
    expect(deliveryProgress(stopped, 2)).toEqual({
      kind: 'failed',
      code: 'formula_not_found',
      message: 'no jqq',
    });
  });
});

test('failed devices are counted, and the first error is quoted without what it printed', () => {
  const stopped = delivery({
    observedGeneration: 2,
    error: { code: 'health_check_failed', message: 'jq --version failed: exit code 1\nmore' },
    counts: { desired: 2, reachable: 2, updated: 2, ready: 0, failed: 2, offline: 0 },
    conditions: [
      condition('Ready', 'False', 'WaveFailed'),
      condition('Progressing', 'False', 'WaveFailed'),
    ],
  });
  expect(deliveryProgress(stopped, 2)).toEqual({
    kind: 'failed',
    code: 'not_ready',
    message: 'WaveFailed it is\n  health_check_failed: jq --version failed: exit code 1',
  });
});

test('the outcome sums the stages of package and devices', () => {
  const done = delivery({
    revision: 3,
    version: '1.6',
    packageStages: { resolved: 0.001, built: 0.002, published: 0.001 },
    stages: [{ name: 'started', p50Seconds: 0.026, p99Seconds: 0.03 }],
    counts: { desired: 1, reachable: 1, updated: 1, ready: 1, failed: 0, offline: 0 },
  });
  const installs = [
    {
      ...done,
      kind: 'Install',
      spec: {
        device: 'd1',
        delivery: 'jq',
        formula: 'jq',
        version: '1.6',
        revision: 3,
        image: {
          repository: 'jq',
          digest: `sha256:${'0'.repeat(64)}`,
          platform: 'linux/amd64',
          sizeBytes: 1,
          unpackedBytes: 1,
        },
      },
      status: { state: 'Ready' as const },
    },
  ];
  expect(describeOutcome(done, installs)).toContain(
    'jq 1.6 is ready on 1 device in 30.0 ms (revision 3, nothing to fetch)',
  );
});
