import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Keg, KegEntry } from '../keg.ts';
import { planLinks } from '../plan-links.ts';
import { imageTree, treeChanges } from './image-tree.ts';
import { parseInstallSteps } from './install-step.ts';
import type { TreeNode } from './prefix-tree.ts';
import type { StepProgram } from './plan-programs.ts';
import { runInstallSteps, type StepLeftOut, type StepRunner } from './run-install-steps.ts';

const prefix = '/home/linuxbrew/.linuxbrew';
const keg = 'Cellar/nginx/1.31.4_1';

/** Contents of files of the keg. */
const contents: Readonly<Record<string, string>> = {
  'html/index.html': 'hello',
  'share/nginx/default.conf': 'user nobody;\nroot @PREFIX@;\n',
  'libexec/tool.gz': 'compressed',
};

function nginx(files: readonly string[], steps: readonly unknown[]): Keg {
  return {
    name: 'nginx',
    version: '1.31.4',
    pkgVersion: '1.31.4_1',
    kegOnly: false,
    aliases: [],
    linkOverwrite: [],
    postInstall: parseInstallSteps(steps, false),
    entries: files.map((file): KegEntry => {
      const [path = '', target] = file.split(' -> ');
      return target === undefined
        ? { kind: 'file', path: path.replace('*', ''), executable: path.endsWith('*') }
        : { kind: 'symlink', path, target };
    }),
  };
}

const everyFile = ['bin/nginx*', ...Object.keys(contents)];

interface Outcome {
  /** What the link layer has that it would not have without the steps. */
  readonly changes: readonly string[];
  readonly leftOut: readonly StepLeftOut[];
  /** Names of all that is not below the prefix. */
  readonly outside: readonly string[];
}

async function run(
  steps: readonly unknown[],
  options: { readonly files?: readonly string[]; readonly run?: StepRunner['run'] } = {},
): Promise<Outcome> {
  const kegs = [nginx(options.files ?? everyFile, steps)];
  const links = planLinks(kegs).steps;
  const tree = imageTree(kegs, links);
  const usual = new Set(texts(treeChanges(tree, kegs)));
  const leftOut = await runInstallSteps(
    tree,
    kegs.map((one) => ({ ...one, steps: one.postInstall })),
    {
      read: (content) =>
        Promise.resolve(
          content.kind === 'bytes'
            ? content.bytes
            : new TextEncoder().encode(contents[content.path] ?? ''),
        ),
      gunzip: (bytes) => Promise.resolve(bytes.map((byte) => byte ^ 0x20)),
      ...(options.run && { run: options.run }),
    },
  );
  const changes = texts(treeChanges(tree, kegs)).filter((text) => !usual.has(text));
  return { changes, leftOut, outside: namesAbove(tree.root, prefix.split('/').slice(1)) };
}

function namesAbove(node: TreeNode, way: readonly string[]): readonly string[] {
  const [next, ...rest] = way;
  if (node.kind !== 'directory' || next === undefined) return [];
  return [...node.children].flatMap(([name, child]) => [
    name,
    ...(name === next ? namesAbove(child, rest) : ['?']),
  ]);
}

function texts(steps: ReturnType<typeof treeChanges>): readonly string[] {
  return steps.map((step) => {
    switch (step.kind) {
      case 'directory':
        return `${step.path}/${step.mode === undefined ? '' : ` ${step.mode.toString(8)}`}`;
      case 'symlink':
        return `${step.path} -> ${step.target}`;
      case 'copy':
        return `${step.path} = ${step.source}${step.mode === 0o644 ? '' : ` ${step.mode?.toString(8)}`}`;
      case 'file': {
        const mode = step.mode === 0o644 ? '' : ` ${step.mode.toString(8)}`;
        return `${step.path} "${new TextDecoder().decode(step.bytes)}"${mode}`;
      }
      case 'remove':
        return `- ${step.path}`;
    }
  });
}

const etc = (path: string): object => ({ base: 'etc', path });
const own = (path: string): object => ({ base: 'prefix', path });
const inVar = (path: string): object => ({ base: 'var', path });

describe('steps that touch files', () => {
  test.each<[string, readonly unknown[], readonly string[]]>([
    ['nothing', [], []],
    ['mkdir', [{ type: 'mkdir', path: inVar('log') }], ['var/log/']],
    ['mkdir_p', [{ type: 'mkdir_p', path: inVar('a/b') }], ['var/a/', 'var/a/b/']],
    ['touch', [{ type: 'touch', path: inVar('a/b') }], ['var/a/', 'var/a/b ""']],
    ['touch of what is there', [{ type: 'touch', path: own('html/index.html') }], []],
    [
      'write, with tokens',
      [
        {
          type: 'write',
          path: etc('a.conf'),
          content:
            '{{var}} {{version.major_minor}} {{version}} {{formula_name}} {{user}} {{other}} {}',
        },
      ],
      [`etc/a.conf "${prefix}/var 1.31 1.31.4 nginx nonroot {{other}} {}"`],
    ],
    [
      'write over what is there or not',
      [
        { type: 'write', path: etc('a'), content: '1' },
        { type: 'write', path: etc('a'), content: '2' },
        { type: 'write', path: etc('b'), content: '1' },
        { type: 'write', path: etc('b'), content: '2', overwrite: true },
      ],
      ['etc/a "1"', 'etc/b "2"'],
    ],
    [
      'move, which takes a file out of the keg',
      [{ type: 'move', source: own('html'), target: inVar('www'), overwrite: true }],
      [`- ${keg}/html`, 'var/www/', 'var/www/index.html = html/index.html'],
    ],
    [
      'move into a folder',
      [
        { type: 'mkdir_p', path: inVar('www') },
        { type: 'move', source: own('html'), target: inVar('www'), overwrite: true },
      ],
      [`- ${keg}/html`, 'var/www/', 'var/www/html/', 'var/www/html/index.html = html/index.html'],
    ],
    [
      'move_contents',
      [{ type: 'move_contents', source: own('html'), target: inVar('www') }],
      [`- ${keg}/html/index.html`, 'var/www/', 'var/www/index.html = html/index.html'],
    ],
    [
      'copy of a file',
      [{ type: 'copy', source: own('bin/nginx'), target: inVar('lib/nginx') }],
      ['var/lib/', 'var/lib/nginx = bin/nginx 755'],
    ],
    [
      'copy of a folder, over what is there',
      [
        { type: 'write', path: inVar('www/html/old'), content: 'kept' },
        { type: 'copy', source: own('html'), target: inVar('www'), recursive: true },
      ],
      [
        'var/www/',
        'var/www/html/',
        'var/www/html/index.html = html/index.html',
        'var/www/html/old "kept"',
      ],
    ],
    [
      'remove, with patterns',
      [
        { type: 'remove', paths: [own('html/*.html'), own('none'), own('share')] },
        { type: 'remove', paths: [own('lib{exec,64}')], recursive: true },
      ],
      [`- ${keg}/html/index.html`, `- ${keg}/libexec`],
    ],
    [
      'remove where it says so',
      [
        {
          type: 'remove',
          paths: [own('share/nginx/*')],
          content_contains: 'nobody',
          symlink_target_contains: 'x',
        },
        { type: 'remove', paths: [own('html/*')], content_contains: 'hello' },
      ],
      [`- ${keg}/html/index.html`],
    ],
    [
      'inreplace of a string, everywhere',
      [
        {
          type: 'inreplace',
          path: own('share/nginx/default.conf'),
          before: 'o',
          after: '0',
        },
      ],
      [`${keg}/share/nginx/default.conf "user n0b0dy;\nr00t @PREFIX@;\n"`],
    ],
    [
      'inreplace with an expression, once',
      [
        {
          type: 'inreplace',
          path: own('share/nginx/default.conf'),
          before: '^(root|USER)\\s+\\S+$',
          after: '\\1 {{var}}',
          regexp: true,
          regexp_options: 1,
          first_only: true,
        },
      ],
      [`${keg}/share/nginx/default.conf "user ${prefix}/var\nroot @PREFIX@;\n"`],
    ],
    [
      'symlink, absolute and as given',
      [
        { type: 'symlink', source: own('html'), target: inVar('www') },
        { type: 'symlink', source: { base: 'relative', path: '../x' }, target: inVar('y') },
        { type: 'symlink', source: own('share'), target: inVar('y'), force: true },
      ],
      [`var/www -> ${prefix}/${keg}/html`, `var/y -> ${prefix}/${keg}/share`],
    ],
    [
      'symlink to another formula’s certificate',
      [
        {
          type: 'symlink',
          source: {
            base: 'formula_pkgetc',
            formula: 'homebrew/core/ca-certificates',
            path: 'cert.pem',
          },
          target: { base: 'pkgetc', path: 'cert.pem' },
        },
      ],
      ['etc/nginx/', `etc/nginx/cert.pem -> ${prefix}/etc/ca-certificates/cert.pem`],
    ],
    [
      'symlink of all that matches',
      [{ type: 'symlink', source: own('*/*.html'), target: inVar('www'), source_glob: true }],
      [`var/www -> ${prefix}/${keg}/html/index.html`],
    ],
    [
      'link_dir, with folders that are real',
      [
        {
          type: 'link_dir',
          source: own('share'),
          target: { base: 'homebrew_prefix', path: 'var' },
        },
      ],
      ['var/nginx/', `var/nginx/default.conf -> ../../${keg}/share/nginx/default.conf`],
    ],
    [
      'link_children, with other names',
      [
        {
          type: 'link_children',
          source: own('bin'),
          target: { base: 'homebrew_prefix', path: 'bin' },
          suffix: '-{{version.major}}',
        },
      ],
      [`bin/nginx-1 -> ../${keg}/bin/nginx`],
    ],
    [
      'set_permissions, through folders',
      [{ type: 'set_permissions', paths: [own('html')], permissions: 'go-rx,u+x' }],
      [`${keg}/html/ 700`, `${keg}/html/index.html = html/index.html 700`],
    ],
    [
      'set_permissions of one',
      [{ type: 'set_permissions', paths: [own('html')], permissions: '0700', non_recursive: true }],
      [`${keg}/html/ 700`],
    ],
    [
      'install_gzipped_executable',
      [
        {
          type: 'install_gzipped_executable',
          source: { base: 'libexec', path: 'tool.gz' },
          target: { base: 'libexec', path: 'tool' },
        },
      ],
      [`${keg}/libexec/tool "COMPRESSED" 755`, `- ${keg}/libexec/tool.gz`],
    ],
    [
      'what is nothing in an image',
      [
        { type: 'warn', message: 'look out' },
        { type: 'terminate_process', name: 'nginx' },
        { type: 'configure_clang_system' },
      ],
      [],
    ],
  ])('%s', async (_name, steps, changes) => {
    expect(await run(steps)).toMatchObject({ changes: [...changes].toSorted(byPath), leftOut: [] });
  });

  test('those of the nginx formula', async () => {
    const missing = { condition: 'unless_exists', id: '2', ...inVar('www') };
    const steps = [
      { type: 'mkdir_p', path: etc('nginx/servers') },
      { type: 'mkdir_p', path: inVar('run/nginx') },
      {
        type: 'remove',
        paths: [own('html')],
        recursive: true,
        guards: [{ condition: 'if_exists', id: '1', ...inVar('www') }],
      },
      {
        type: 'move',
        source: own('html'),
        target: inVar('www'),
        overwrite: true,
        guards: [missing],
      },
      { type: 'write', path: inVar('first'), content: 'yes', guards: [missing] },
      { type: 'symlink', source: { path: '{{var}}/www' }, target: own('html') },
      { type: 'touch', path: inVar('mac'), guards: [{ condition: 'on', value: 'macos', id: '3' }] },
      {
        type: 'touch',
        path: inVar('linux'),
        guards: [{ condition: 'on', value: 'linux', id: '4' }],
      },
      {
        type: 'touch',
        path: inVar('found'),
        guards: [{ condition: 'if_exists', base: 'search_path', path: 'ngin?', id: '5' }],
      },
    ];
    const { changes, leftOut } = await run(steps);
    expect(leftOut).toEqual([]);
    expect(changes).toEqual([
      `${keg}/html -> ${prefix}/var/www`,
      'etc/nginx/',
      'etc/nginx/servers/',
      'var/first "yes"',
      'var/found ""',
      'var/linux ""',
      'var/run/',
      'var/run/nginx/',
      'var/www/',
      'var/www/index.html = html/index.html',
    ]);
  });
});

function byPath(a: string, b: string): number {
  const path = (text: string): string => text.replace(/^- /, '').replace(/\/? .*$|\/$/s, '');
  return path(a) < path(b) ? -1 : 1;
}

describe('a step is left out, and those of its formula after it, that', () => {
  const later = { type: 'touch', path: inVar('later') };
  test.each<[string, object, RegExp]>([
    [
      'leads out of the prefix',
      { type: 'touch', path: { path: '/etc/passwd' } },
      /^\/etc is outside of the prefix$/,
    ],
    [
      'climbs out of it',
      { type: 'touch', path: etc('../../../x') },
      /\/home\/x is outside|\/x is outside/,
    ],
    [
      'is the prefix itself',
      {
        type: 'set_permissions',
        paths: [{ base: 'homebrew_prefix', path: '.' }],
        permissions: '0777',
      },
      /is outside/,
    ],
    ['is relative to nothing', { type: 'touch', path: { path: 'x' } }, /relative to no place/],
    [
      'has another base',
      { type: 'touch', path: { base: 'home', path: 'x' } },
      /base home is not known/,
    ],
    [
      'makes a folder where none is above',
      { type: 'mkdir', path: inVar('a/b') },
      /var\/a does not exist/,
    ],
    [
      'finds nothing to move',
      { type: 'move', source: own('none'), target: inVar('x'), overwrite: true },
      /none does not exist/,
    ],
    [
      'moves a folder into itself',
      { type: 'move', source: own('html'), target: own('html/a/b'), overwrite: true },
      /into itself/,
    ],
    [
      'must not overwrite',
      { type: 'copy', source: own('bin/nginx'), target: own('html/index.html'), overwrite: false },
      /exists/,
    ],
    [
      'copies a folder as a file',
      { type: 'copy', source: own('html'), target: inVar('x') },
      /is a folder/,
    ],
    [
      'finds nothing to replace',
      { type: 'inreplace', path: own('html/index.html'), before: 'x', after: 'y' },
      /nothing to replace/,
    ],
    [
      'has an expression of Ruby’s',
      { type: 'inreplace', path: own('html/index.html'), before: '(?>h)', after: '', regexp: true },
      /expression/,
    ],
    [
      'links to where something is',
      { type: 'symlink', source: own('html'), target: own('share') },
      /share exists/,
    ],
    [
      'matches several',
      { type: 'copy', source: own('*'), target: inVar('x'), source_glob: true },
      /matches 4 paths/,
    ],
    ['is of next year', { type: 'brew_coffee', strength: 3 }, /is no step that is known/],
    ['has another shape', { type: 'copy', source: 3, target: own('x') }, /source: /],
  ])('%s', async (_name, step, why) => {
    const { changes, leftOut } = await run([step, later]);
    expect(leftOut).toEqual([
      { formula: 'nginx', step: (step as { type: string }).type, why: expect.stringMatching(why) },
      { formula: 'nginx', step: 'touch', why: expect.stringMatching(/failed before it$/) },
    ]);
    expect(changes.filter((text) => text.includes('later'))).toEqual([]);
  });

  test('goes through a link that leads out', async () => {
    const files = ['share/out -> /etc', 'share/up -> ../../../../../../..', 'share/loop -> loop'];
    for (const [link, why] of [
      ['out', /^\/etc is outside/],
      ['up', /leads out of the prefix/],
      ['loop', /more than 40 links/],
    ] as const) {
      const { leftOut } = await run([{ type: 'touch', path: own(`share/${link}/x`) }], { files });
      expect(leftOut.map((left) => left.why)).toEqual([expect.stringMatching(why)]);
    }
  });

  test('is written in Ruby, or not listed', () => {
    expect(parseInstallSteps(undefined, true)).toEqual([
      { type: 'unknown', name: 'post_install', why: 'is written in Ruby' },
    ]);
    expect(parseInstallSteps(true, false)).toEqual([
      { type: 'unknown', name: 'post_install_steps', why: 'the API does not list them' },
    ]);
    expect(parseInstallSteps([], false)).toEqual([]);
  });
});

describe('steps that run programs', () => {
  const opt = `${prefix}/opt`;
  const icons = { base: 'homebrew_prefix', path: 'share/icons/hicolor' };
  test.each<[object, readonly string[]]>([
    [
      { type: 'run', command: { base: 'bin', path: 'nginx' }, args: ['-c', '{{etc}}/x'] },
      [`${prefix}/${keg}/bin/nginx`, '-c', `${prefix}/etc/x`],
    ],
    [{ type: 'run', command: '/bin/cp' }, ['/bin/cp']],
    [
      { type: 'compile_gsettings_schemas', path: icons },
      [`${opt}/glib/bin/glib-compile-schemas`, `${prefix}/share/icons/hicolor`],
    ],
    [
      { type: 'gio_querymodules', path: icons },
      [`${opt}/glib/bin/gio-querymodules`, `${prefix}/share/icons/hicolor`],
    ],
    [
      { type: 'gdk_pixbuf_query_loaders' },
      [`${opt}/gdk-pixbuf/bin/gdk-pixbuf-query-loaders`, '--update-cache'],
    ],
    [
      { type: 'gtk_update_icon_cache', path: icons },
      [
        `${opt}/gtk+3/bin/gtk3-update-icon-cache`,
        '-q',
        '-t',
        '-f',
        `${prefix}/share/icons/hicolor`,
      ],
    ],
    [
      { type: 'update_mime_database', path: icons },
      [`${opt}/shared-mime-info/bin/update-mime-database`, `${prefix}/share/icons/hicolor`],
    ],
    [
      { type: 'update_desktop_database', path: icons },
      [`${opt}/desktop-file-utils/bin/update-desktop-database`, `${prefix}/share/icons/hicolor`],
    ],
    [
      { type: 'init_data_dir', using: 'postgresql_initdb', path: inVar('pg') },
      [`${prefix}/${keg}/bin/initdb`, '--locale=en_US.UTF-8', '-E', 'UTF-8', `${prefix}/var/pg`],
    ],
    [
      { type: 'configure_glibc_runtime' },
      [`${prefix}/${keg}/bin/localedef`, '-i', 'en_US', '-f', 'UTF-8', 'en_US.UTF-8'],
    ],
  ])('%j', async (step, command) => {
    const programs: StepProgram[] = [];
    const start = (program: StepProgram): Promise<void> => {
      programs.push(program);
      return Promise.resolve();
    };
    expect((await run([step], { run: start })).leftOut).toEqual([]);
    expect(programs.map((program) => program.command)).toEqual([command]);
    // Where none may run, that is said, and what comes after goes on.
    const later = { type: 'touch', path: inVar('later') };
    const { changes, leftOut } = await run([step, later]);
    expect(leftOut).toMatchObject([{ formula: 'nginx', why: 'runs a program' }]);
    expect(changes).toEqual(['var/later ""']);
  });

  test('a data folder that is there is left alone', async () => {
    const steps = [
      { type: 'touch', path: inVar('pg/PG_VERSION') },
      { type: 'init_data_dir', using: 'postgresql_initdb', path: inVar('pg') },
    ];
    expect((await run(steps)).leftOut).toEqual([]);
  });

  test.each([
    { type: 'run', command: '/bin/true', sudo: true },
    { type: 'run', command: '/bin/true', network_access: true },
    { type: 'init_data_dir', using: 'oracle', path: inVar('x') },
    { type: 'configure_gcc_runtime' },
    { type: 'configure_php' },
    { type: 'bootstrap_cpython' },
    { type: 'bootstrap_pypy', abi_version: '3.10' },
    { type: 'change_dylib_id', source: own('x'), id: 'x' },
    { type: 'delete_keychain_certificate', name: 'x' },
    { type: 'set_ownership', paths: [own('x')] },
  ])('$type is never carried out', async (step) => {
    const { leftOut } = await run([step], { run: () => Promise.reject(new Error('ran')) });
    expect(leftOut).toMatchObject([{ formula: 'nginx', step: step.type }]);
  });
});

test('a folder that is linked into itself has an end', async () => {
  const { changes, leftOut } = await run([
    { type: 'link_dir', source: own('share'), target: own('share/nginx') },
  ]);
  expect(leftOut).toEqual([]);
  expect(changes).toEqual([
    `${keg}/share/nginx/nginx/`,
    `${keg}/share/nginx/nginx/default.conf -> ../default.conf`,
  ]);
});

test('folders that are copied into themselves again and again do not fill the memory', async () => {
  const twice = { type: 'copy', source: own('share'), target: own('share'), recursive: true };
  const { leftOut } = await run(
    Array.from({ length: 40 }, (_, index) => ({
      ...twice,
      target: own(`share/${index}`),
    })),
  );
  expect(leftOut[0]?.why).toContain('steps copy more than 200000 files');
});

test('whatever steps say, nothing outside of the prefix changes', async () => {
  const path = fc.record({
    base: fc.constantFrom('prefix', 'etc', 'var', 'homebrew_prefix', 'absolute', 'relative', 'bin'),
    path: fc
      .array(
        fc.constantFrom(
          '..',
          '.',
          'a',
          'html',
          'share',
          'nginx',
          '*',
          '{{var}}',
          '/',
          'index.html',
        ),
        { maxLength: 6 },
      )
      .map((parts) => parts.join('/')),
  });
  const step = fc.record({
    type: fc.constantFrom(
      'mkdir',
      'mkdir_p',
      'touch',
      'move',
      'move_contents',
      'copy',
      'remove',
      'symlink',
      'link_dir',
      'link_children',
      'write',
      'set_permissions',
    ),
    path,
    source: path,
    target: path,
    paths: fc.array(path, { maxLength: 2 }),
    recursive: fc.boolean(),
    force: fc.boolean(),
    overwrite: fc.boolean(),
    source_glob: fc.boolean(),
    content: fc.constant('x'),
    permissions: fc.constantFrom('0700', 'a+w', 'nonsense'),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      const { changes, outside } = await run(steps);
      expect(outside).toEqual(['home', 'linuxbrew', '.linuxbrew']);
      expect(changes.filter((text) => /(^|\/)\.\.?(\/|$)/.test(text.split(' ')[0] ?? ''))).toEqual(
        [],
      );
    }),
    { numRuns: 300 },
  );
});
