import fc from 'fast-check';

/** What is done to files, here and on the machine's own. */
export type FileOperation =
  | {
      readonly kind: 'mkdir' | 'rmdir' | 'unlink' | 'stat' | 'lstat' | 'readlink' | 'list';
      readonly path: string;
    }
  | { readonly kind: 'write'; readonly path: string; readonly flags: number; readonly text: string }
  | { readonly kind: 'read'; readonly path: string }
  | { readonly kind: 'truncate'; readonly path: string; readonly size: number }
  | { readonly kind: 'chmod'; readonly path: string; readonly mode: number }
  | { readonly kind: 'rename' | 'link'; readonly from: string; readonly to: string }
  | { readonly kind: 'symlink'; readonly target: string; readonly path: string };

const name = fc.constantFrom('a', 'b', 'c');

/**
 * Never above where it begins, whatever links there are: `..` stands only behind a name, and links
 * lead down only.
 */
const path = fc
  .tuple(
    fc.array(fc.oneof({ weight: 6, arbitrary: name }, fc.constantFrom('.', 'a/..', 'b/..')), {
      minLength: 1,
      maxLength: 4,
    }),
    fc.constantFrom('', '', '', '', '/', '/.', '//'),
  )
  .map(([parts, end]) => parts.join('/') + end);
const target = fc.array(name, { minLength: 1, maxLength: 2 }).map((names) => names.join('/'));

const create = 0o100;
const exclusive = 0o200;
const truncate = 0o1000;
const append = 0o2000;
const directory = 0o200000;
const noFollow = 0o400000;

export const fileOperation: fc.Arbitrary<FileOperation> = fc.oneof(
  fc.record({
    kind: fc.constantFrom('mkdir', 'mkdir', 'rmdir', 'unlink', 'stat', 'lstat', 'readlink', 'list'),
    path,
  }),
  fc.record({
    kind: fc.constant('write'),
    path,
    flags: fc
      .subarray([create, create, exclusive, truncate, append, directory, noFollow])
      .map((flags) => flags.reduce((all, one) => all | one, 1)),
    text: fc.string({ maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant('read'), path }),
  fc.record({ kind: fc.constant('truncate'), path, size: fc.nat(9) }),
  fc.record({ kind: fc.constant('chmod'), path, mode: fc.constantFrom(0o644, 0o755, 0o4711, 0) }),
  fc.record({ kind: fc.constantFrom('rename', 'link'), from: path, to: path }),
  fc.record({ kind: fc.constant('symlink'), target, path }),
);
