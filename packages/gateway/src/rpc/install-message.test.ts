import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { Install, InstallSpec, InstallStatus } from '@tapline/resources';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { InstallSchema } from './generated/tapline/gateway/v1/gateway_pb.ts';
import { installMessage, installOf } from './install-message.ts';

/** Every field of T has its own arbitrary; those that may be absent are at times. */
function object<T extends object>(fields: {
  readonly [K in keyof Required<T>]: fc.Arbitrary<NonNullable<T[K]>>;
}): { readonly required: (...keys: readonly (keyof T & string)[]) => fc.Arbitrary<T> } {
  return {
    required: (...keys) =>
      fc.record(fields, {
        requiredKeys: [...keys],
      }) as fc.Arbitrary<T>,
  };
}

const text = fc.string({ unit: 'grapheme' });
const count = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const seconds = fc.double({ min: 0, max: 1e9, noNaN: true });
const command = fc.array(text, { minLength: 1, maxLength: 4 });
// An empty map is none.
const map = fc.dictionary(text, text, { minKeys: 1, maxKeys: 3, noNullPrototype: true });

type Part<K extends keyof InstallSpec> = NonNullable<InstallSpec[K]>;

const spec = object<InstallSpec>({
  device: text,
  delivery: text,
  formula: text,
  version: text,
  revision: count,
  image: object<Part<'image'>>({
    repository: text,
    digest: text,
    platform: text,
    sizeBytes: count,
    unpackedBytes: count,
    main: text,
  }).required('repository', 'digest', 'platform', 'sizeBytes', 'unpackedBytes'),
  run: object<Part<'run'>>({
    command,
    env: map,
    restart: fc.constantFrom('Always', 'OnFailure', 'Never'),
  }).required('restart'),
  health: object<Part<'health'>>({
    command,
    http: text,
    timeoutSeconds: seconds,
    attempts: fc.integer({ min: 1, max: 100 }),
    intervalSeconds: seconds,
  }).required('timeoutSeconds', 'attempts', 'intervalSeconds'),
  limits: object<Part<'limits'>>({
    memoryBytes: fc.integer({ min: 1_048_576, max: 2 ** 50 }),
    pids: fc.integer({ min: 1, max: 4_194_304 }),
    cpus: fc.double({ min: 0.01, max: 4096, noNaN: true }),
  }).required(),
  network: fc.constantFrom('None', 'Host'),
  segment: object<Part<'segment'>>({ name: text, labels: map }).required('name'),
  ports: fc.array(
    object<Part<'ports'>[number]>({
      port: fc.integer({ min: 1, max: 65_535 }),
      env: text,
      target: fc.integer({ min: 1, max: 65_535 }),
    }).required('port'),
    { minLength: 1, maxLength: 3 },
  ),
  drainSeconds: fc.integer({ min: 0, max: 86_400 }),
}).required('device', 'delivery', 'formula', 'version', 'revision', 'image');

const status = object<InstallStatus>({
  observedRevision: count,
  state: fc.constantFrom('Pending', 'Pulling', 'Ready', 'RolledBack', 'Failed'),
  active: fc.record({ version: text, digest: text, revision: count }),
  stages: fc.dictionary(text, seconds, { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
  fetchedBytes: count,
  fetchedBlobs: count,
  restarts: count,
  error: object<NonNullable<InstallStatus['error']>>({
    code: text,
    message: text,
    hint: text,
  }).required('code', 'message'),
  conditions: fc.array(
    object<NonNullable<InstallStatus['conditions']>[number]>({
      type: text,
      status: fc.constantFrom('True', 'False', 'Unknown'),
      reason: text,
      message: text,
      observedGeneration: count,
      lastTransitionTime: text,
    }).required('type', 'status', 'reason', 'message', 'lastTransitionTime'),
    { minLength: 1, maxLength: 3 },
  ),
}).required();

const metadata = fc.record(
  { name: text, uid: text, resourceVersion: text, deletionTimestamp: text },
  { requiredKeys: ['name', 'uid', 'resourceVersion'] },
);

test('an Install comes as it was, whatever its device has to know of it', () => {
  const install = fc.record({ metadata, spec, status }, { requiredKeys: ['metadata', 'spec'] });
  fc.assert(
    fc.property(install, (given) => {
      const sent: Install = { apiVersion: 'tapline.dev/v1alpha1', kind: 'Install', ...given };
      const bytes = toBinary(InstallSchema, create(InstallSchema, installMessage(sent)));
      expect(installOf(fromBinary(InstallSchema, bytes))).toEqual(sent);
    }),
  );
});
