import { expect, test } from 'vitest';
import { parseRegistryRoute } from './registry-route.ts';

const digest = `sha256:${'a'.repeat(64)}`;

test.each([
  ['/v2/', { kind: 'ping' }],
  ['/v2/_catalog', { kind: 'catalog' }],
  [`/v2/a/b/blobs/${digest}`, { kind: 'blob', repository: 'a/b', digest }],
  ['/v2/a/blobs/uploads/', { kind: 'uploads', repository: 'a' }],
  ['/v2/blobs/uploads/blobs/uploads/', { kind: 'uploads', repository: 'blobs/uploads' }],
  [
    '/v2/a/manifests/1.0',
    { kind: 'manifest', repository: 'a', reference: { kind: 'tag', tag: '1.0' } },
  ],
  [
    `/v2/a/manifests/${digest}`,
    { kind: 'manifest', repository: 'a', reference: { kind: 'digest', digest } },
  ],
  ['/v2/a/tags/list', { kind: 'tags', repository: 'a' }],
  [`/v2/a/referrers/${digest}`, { kind: 'referrers', repository: 'a', digest }],
])('%s', (path, route) => {
  expect(parseRegistryRoute(path)).toEqual(route);
});

test.each([
  ['/v2/a/../b/tags/list', 'name_invalid'],
  ['/v2/A/tags/list', 'name_invalid'],
  ['/v2/a/blobs/sha256:12', 'digest_invalid'],
  ['/v2/a/manifests/-x', 'tag_invalid'],
  ['/v2/a/blobs/uploads/not-an-id', 'route_unknown'],
  ['/v1/a', 'route_unknown'],
])('refuses %s with %s', (path, code) => {
  expect(() => parseRegistryRoute(path)).toThrow(expect.objectContaining({ code }));
});
