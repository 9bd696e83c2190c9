import { homedir } from 'node:os';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { cacheFolder } from './cache-folder.ts';

test('follows XDG_CACHE_HOME when it is absolute', () => {
  expect(cacheFolder('debian', { XDG_CACHE_HOME: '/var/cache/me' })).toBe(
    '/var/cache/me/tapline/debian',
  );
  const home = join(homedir(), '.cache/tapline/debian');
  expect(cacheFolder('debian', { XDG_CACHE_HOME: 'relative' })).toBe(home);
  expect(cacheFolder('debian', {})).toBe(home);
});
