import { expect, test } from 'vitest';
import { workloadResource } from './workload.ts';

const errorsOf = (spec: object): readonly string[] => {
  const parsed = workloadResource.spec.safeParse(spec);
  return parsed.success ? [] : parsed.error.issues.map(({ message }) => message);
};
const run = { command: ['serve'] };

test.each([
  [{ package: { formula: 'nginx' }, run }],
  [{ image: 'site/web:1' }],
  [{ image: `site/web@sha256:${'a'.repeat(64)}`, run: { env: { A: 'b' } } }],
  [{ image: 'web', ports: [{ port: 80, target: 8080 }], health: { http: '/' } }],
  [{ image: 'web', ports: [{ port: 80, env: 'PORT' }], network: 'Host' }],
  [{ image: 'web', ports: [{ port: 80, env: 'PORT' }], segment: { name: 'tv' } }],
  [{ engine: { channel: 'news' } }],
])('%j is a workload', (spec) => {
  expect(errorsOf(spec)).toEqual([]);
});

test.each([
  [{}, /must have a package/],
  [{ package: { formula: 'nginx' } }, /must have a package/],
  [{ package: { formula: 'nginx' }, run: {} }, /must have a package/],
  [{ package: { formula: 'nginx' }, run, image: 'web' }, /must have a package/],
  [{ engine: { channel: 'news' }, image: 'web' }, /must have a package/],
  [{ image: 'docker.io/Library/web' }, /./],
  [{ image: 'web', ports: [{ port: 80 }] }, /either env or target/],
  [{ image: 'web', ports: [{ port: 80, env: 'PORT' }] }, /with network Host or a segment/],
  [{ image: 'web', ports: [{ port: 80, target: 1 }], network: 'Host' }, /with network Host/],
  [
    {
      image: 'web',
      ports: [
        { port: 80, target: 1 },
        { port: 80, target: 2 },
      ],
    },
    /name a port twice/,
  ],
  [{ image: 'web', health: { http: '/' } }, /no port to ask/],
])('%j is none', (spec, problem) => {
  expect(errorsOf(spec).join('; ')).toMatch(problem);
});
