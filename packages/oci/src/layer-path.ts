import { TaplineError } from '@tapline/base';

// Linux: PATH_MAX with its NUL, and NAME_MAX.
const maxPathBytes = 4095;
const maxNameBytes = 255;

/**
 * The canonical form of a path in a layer: `./a/b` → `a/b`, `.` and `./` → `.`, the root.
 * Throws `unsafe_tar_entry` for what leaves the root, is absolute or could not be created.
 */
export function checkLayerPath(path: string): string {
  if (path === '') throw unsafeEntry(path, 'the path is empty');
  if (path.startsWith('/')) throw unsafeEntry(path, 'the path is absolute');
  if (path.includes('\0')) throw unsafeEntry(path, 'the path has a NUL');
  const parts: string[] = [];
  for (const part of path.replace(/^\.\/$/, '.').split('/')) {
    if (part === '') throw unsafeEntry(path, 'the path has an empty component');
    if (part === '..') throw unsafeEntry(path, 'the path has a ".." component');
    if (part === '.') continue;
    if (utf8Length(part) > maxNameBytes) {
      throw unsafeEntry(path, `a component is longer than ${maxNameBytes} bytes`);
    }
    parts.push(part);
  }
  const canonical = parts.length === 0 ? '.' : parts.join('/');
  if (utf8Length(canonical) > maxPathBytes) {
    throw unsafeEntry(path, `the path is longer than ${maxPathBytes} bytes`);
  }
  return canonical;
}

export function unsafeEntry(path: string, why: string): TaplineError {
  return new TaplineError(
    'unsafe_tar_entry',
    `tar entry ${JSON.stringify(path.slice(0, 300))} is refused: ${why}`,
    { details: { path } },
  );
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}
