import { expect, test } from 'vitest';
import type { Keg, KegEntry } from './keg.ts';
import { planLinks } from './plan-links.ts';

/** `bin/a*` is executable, `x/` a directory, `y -> z` a link. */
function keg(name: string, files: readonly string[], options: Partial<Keg> = {}): Keg {
  const entries = files.map((file): KegEntry => {
    const [path = '', target] = file.split(' -> ');
    if (target !== undefined) return { kind: 'symlink', path, target };
    if (path.endsWith('/')) return { kind: 'directory', path: path.slice(0, -1) };
    return { kind: 'file', path: path.replace('*', ''), executable: path.endsWith('*') };
  });
  return {
    name,
    pkgVersion: '1.0',
    kegOnly: false,
    aliases: [],
    linkOverwrite: [],
    postInstall: [],
    version: '1.0',
    entries,
    ...options,
  };
}

/** The plan as text, without what every prefix has. */
function plan(...kegs: readonly Keg[]): string[] {
  const standing = new Set(planLinks([]).steps.map((step) => step.path));
  return planLinks(kegs)
    .steps.filter((step) => step.kind !== 'directory' || !standing.has(step.path))
    .filter((step) => !/^(opt|var\/homebrew)\//.test(step.path))
    .map((step) => {
      switch (step.kind) {
        case 'directory':
          return `${step.path}/`;
        case 'symlink':
          return `${step.path} -> ${step.target}`;
        case 'copy':
          return `${step.path} = ${step.formula}:${step.source}`;
        default:
          return `${step.kind} ${step.path}`;
      }
    });
}

test('an empty prefix has the directories that Homebrew expects', () => {
  expect(planLinks([]).steps.map((step) => step.path)).toEqual([
    'bin',
    'etc',
    'include',
    'lib',
    'opt',
    'sbin',
    'share',
    'var',
    'var/homebrew',
    'var/homebrew/linked',
  ]);
});

test('a keg is linked with relative links, its records included', () => {
  const jq = keg('jq', ['bin/jq*', 'share/man/man1/jq.1', 'include/jq.h', 'README'], {
    aliases: ['jq@1'],
  });
  const steps = planLinks([jq]).steps.filter((step) => step.kind === 'symlink');
  expect(steps.map((step) => `${step.path} -> ${step.target}`)).toEqual([
    'bin/jq -> ../Cellar/jq/1.0/bin/jq',
    'include/jq.h -> ../Cellar/jq/1.0/include/jq.h',
    'opt/jq -> ../Cellar/jq/1.0',
    'opt/jq@1 -> ../Cellar/jq/1.0',
    'share/man/man1/jq.1 -> ../../../Cellar/jq/1.0/share/man/man1/jq.1',
    'var/homebrew/linked/jq -> ../../../Cellar/jq/1.0',
  ]);
});

test('a keg-only formula is found below opt and nowhere else', () => {
  const paths = planLinks([keg('curl', ['bin/curl*', 'lib/libcurl.so'], { kegOnly: true })])
    .steps.filter((step) => step.kind === 'symlink')
    .map((step) => step.path);
  expect(paths).toEqual(['opt/curl']);
});

test('a directory of one keg is one link', () => {
  expect(plan(keg('a', ['lib/a/x', 'lib/a/y', 'share/a/z']))).toEqual([
    'lib/a -> ../Cellar/a/1.0/lib/a',
    'share/a -> ../Cellar/a/1.0/share/a',
  ]);
});

test('a directory of two kegs is real, and so is all below it that was the first one’s', () => {
  const a = keg('a', ['lib/shared/deep/a1', 'lib/shared/a2']);
  const b = keg('b', ['lib/shared/b1']);
  expect(plan(a, b)).toEqual([
    'lib/shared/',
    'lib/shared/a2 -> ../../Cellar/a/1.0/lib/shared/a2',
    'lib/shared/b1 -> ../../Cellar/b/1.0/lib/shared/b1',
    'lib/shared/deep/',
    'lib/shared/deep/a1 -> ../../../Cellar/a/1.0/lib/shared/deep/a1',
  ]);
});

test('directories that formulae share by rule are real from the first', () => {
  expect(plan(keg('a', ['lib/pkgconfig/a.pc', 'lib/python3.14/site-packages/a/a.py']))).toEqual([
    'lib/pkgconfig/',
    'lib/pkgconfig/a.pc -> ../../Cellar/a/1.0/lib/pkgconfig/a.pc',
    'lib/python3.14/',
    'lib/python3.14/site-packages/',
    'lib/python3.14/site-packages/a/',
    'lib/python3.14/site-packages/a/a.py -> ../../../../Cellar/a/1.0/lib/python3.14/site-packages/a/a.py',
  ]);
});

test('directories in bin, compiled Python and the info index are not linked', () => {
  const files = ['bin/dir/x*', 'lib/python3.14/site-packages/a.pyc', 'share/info/dir'];
  expect(plan(keg('a', files)).filter((step) => step.includes('->'))).toEqual([]);
});

test('a link in a keg to its own place in the prefix is not linked', () => {
  const link = 'etc/a.conf -> /home/linuxbrew/.linuxbrew/etc/a.conf';
  expect(plan(keg('a', [link, 'etc/b.conf']))).toEqual([
    'etc/b.conf -> ../Cellar/a/1.0/etc/b.conf',
  ]);
});

test('a path of two kegs is a conflict that names both', () => {
  expect(() => plan(keg('a', ['bin/tool*']), keg('b', ['bin/tool*']))).toThrow(
    expect.objectContaining({
      code: 'link_conflict',
      message: 'b and a both have /home/linuxbrew/.linuxbrew/bin/tool',
      details: { path: '/home/linuxbrew/.linuxbrew/bin/tool', formulae: ['a', 'b'] },
    }),
  );
});

test.each(['bin/tool', 'bin', 'bin/t*'])('link_overwrite %s takes the path', (glob) => {
  const b = keg('b', ['bin/tool*'], { linkOverwrite: [glob] });
  expect(plan(keg('a', ['bin/tool*']), b)).toEqual(['bin/tool -> ../Cellar/b/1.0/bin/tool']);
});

test('of two dependencies with one path the later is not linked at all, as with Homebrew', () => {
  const kegs = [
    keg('a', ['bin/tool*']),
    keg('b', ['bin/b*', 'bin/tool*', '.bottle/etc/b.conf']),
    keg('package', ['bin/c*']),
  ];
  expect(plan(...kegs)).toEqual([
    'bin/c -> ../Cellar/package/1.0/bin/c',
    'bin/tool -> ../Cellar/a/1.0/bin/tool',
    'etc/b.conf = b:.bottle/etc/b.conf',
  ]);
  const { steps, unlinked } = planLinks(kegs);
  expect(unlinked).toEqual([
    { formula: 'b', path: '/home/linuxbrew/.linuxbrew/bin/tool', taken: 'a' },
  ]);
  expect(steps.map(({ path }) => path)).toContain('opt/b');
  expect(steps.map(({ path }) => path)).not.toContain('var/homebrew/linked/b');
});

test.each([
  ['python@3.13', 'python@3.14'],
  ['ffmpeg', 'ffmpeg-full'],
  ['openssl', 'openssl@3'],
])('%s gives way to %s, which is of its family', (older, newer) => {
  expect(plan(keg(older, ['bin/tool*']), keg(newer, ['bin/tool*']))).toEqual([
    `bin/tool -> ../Cellar/${newer}/1.0/bin/tool`,
  ]);
});

test('a link to the same place of another keg is not linked', () => {
  const link = 'bin/clang -> ../../../../opt/llvm/bin/clang';
  expect(plan(keg('flang', [link, 'bin/flang*']))).toEqual([
    'bin/flang -> ../Cellar/flang/1.0/bin/flang',
  ]);
  expect(plan(keg('flang', ['bin/cc -> ../../../../opt/llvm/bin/clang']))).toHaveLength(1);
});

test('the loader is glibc’s, and gcc’s libraries are found in the prefix', () => {
  const glibc = keg('glibc', ['bin/ld.so -> ../lib/ld-linux-x86-64.so.2'], { kegOnly: true });
  const gcc = keg('gcc', ['lib/gcc/current -> 16', 'lib/gcc/16/libstdc++.so.6', 'lib/gcc/16/x.a']);
  expect(plan(glibc, gcc)).toEqual([
    'lib/gcc -> ../Cellar/gcc/1.0/lib/gcc',
    'lib/ld.so -> ../opt/glibc/bin/ld.so',
    'lib/libstdc++.so.6 -> ../opt/gcc/lib/gcc/current/libstdc++.so.6',
  ]);
});

test('configuration that two kegs bring is the first one’s, the other’s is beside it', () => {
  const a = keg('a', ['.bottle/etc/x.conf'], { kegOnly: true });
  const b = keg('b', ['.bottle/etc/x.conf'], { kegOnly: true });
  expect(plan(a, b)).toEqual([
    'etc/x.conf = a:.bottle/etc/x.conf',
    'etc/x.conf.default = b:.bottle/etc/x.conf',
  ]);
});

test('what a bottle brings for etc and var is copied, for keg-only formulae too', () => {
  const a = keg('a', ['.bottle/etc/a/a.conf', '.bottle/var/log/'], { kegOnly: true });
  expect(plan(a)).toEqual(['etc/a/', 'etc/a/a.conf = a:.bottle/etc/a/a.conf', 'var/log/']);
});
