import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TaplineError } from '@tapline/base';

/** Where the bundled page is: beside the bundled program, or where a build of the sources put it. */
export function pageFolder(): string {
  const places = ['page/', '../../../../dist/tapline/page/'];
  const found = places
    .map((place) => fileURLToPath(new URL(place, import.meta.url)))
    .find((folder) => existsSync(folder));
  if (found !== undefined) return found;
  throw new TaplineError('page_missing', 'the page for browsers has not been built', {
    hint: 'run npm run build, or start ./tapline, which builds it',
  });
}

/** Where the page is in which a browser becomes a device. */
export function devicePageFolder(): string {
  return join(pageFolder(), 'device');
}

/** Where the page of `tapline ops console` is. */
export function consolePageFolder(): string {
  return join(pageFolder(), 'console');
}
