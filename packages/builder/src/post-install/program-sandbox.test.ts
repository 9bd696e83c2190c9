import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { silentLog, systemClock } from '@tapline/base';
import { type LinkStep, parseFormula, type StepLeftOut } from '@tapline/brew';
import { encodeTar } from '@tapline/oci';
import { FileBlobStore } from '@tapline/registry';
import { haveProgram, type TemporaryFolder, temporaryFolder } from '@tapline/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { finishPrefix } from '../finish-prefix.ts';
import { testSink } from '../testing/test-sink.ts';
import { createProgramSandbox } from './program-sandbox.ts';

const needs = ['runc', 'gcc'].filter((program) => !haveProgram(program));
const skip =
  needs.length > 0
    ? `(skipped: no ${needs.join(', ')})`
    : process.getuid?.() === 0
      ? undefined
      : '(skipped: runc needs root)';

const prefix = '/home/linuxbrew/.linuxbrew';
const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** Says what it is allowed to do, and does what it is told. */
const source = String.raw`
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
static const char *may(int result) { return result < 0 ? "no" : "yes"; }
int main(int argc, char **argv) {
  if (argc > 1 && !strcmp(argv[1], "fail")) {
    close(open("${prefix}/etc/half", O_CREAT | O_WRONLY, 0644));
    fprintf(stderr, "broken\n");
    return 3;
  }
  if (argc > 1 && !strcmp(argv[1], "copy")) {
    char text[100]; ssize_t n = read(0, text, sizeof text);
    return write(1, text, n) == n ? 0 : 1;
  }
  struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(80) };
  inet_aton("192.0.2.1", &to.sin_addr);
  printf("uid %d\n", (int)getuid() == 65532);
  printf("network %s\n", may(connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&to, sizeof to)));
  printf("root %s\n", may(open("/etc/made", O_CREAT | O_WRONLY, 0644)));
  printf("other keg %s\n", may(open("${prefix}/Cellar/other", O_CREAT | O_WRONLY, 0644)));
  printf("etc %s\n", may(open("${prefix}/etc/made", O_CREAT | O_WRONLY, 0644)));
  printf("keg %s\n", may(open("${prefix}/Cellar/tool/1.0/lib/made", O_CREAT | O_WRONLY, 0644)));
  printf("folder %s\n", may(mkdir("${prefix}/var/cache", 0755)));
  printf("link %s\n", may(symlink("../x", "${prefix}/var/cache/link")));
  printf("removed %s\n", may(unlink("${prefix}/Cellar/tool/1.0/lib/old")));
  return 0;
}
`;

describe.skipIf(skip !== undefined)(`programs of an image that is built ${skip ?? ''}`, () => {
  let folder: TemporaryFolder;
  let program: Buffer;

  beforeAll(async () => {
    folder = await temporaryFolder();
    // As a cache that the builder's user owns; a user namespace has to pass through it.
    await chmod(folder.path, 0o711);
    const path = join(folder.path, 'tool');
    await writeFile(`${path}.c`, source);
    execFileSync('gcc', ['-static', '-o', path, `${path}.c`]);
    program = await readFile(path);
  });

  afterAll(async () => {
    await folder?.[Symbol.asyncDispose]();
  });

  async function finish(
    steps: readonly unknown[],
    machine = architecture,
  ): Promise<{ readonly steps: readonly LinkStep[]; readonly leftOut: readonly StepLeftOut[] }> {
    await using work = await temporaryFolder();
    const file = (path: string, data: Uint8Array, mode: number) => ({
      entry: {
        kind: 'file',
        path,
        mode,
        uid: 0,
        gid: 0,
        size: data.length,
        mtimeSeconds: 9,
      } as const,
      data,
    });
    const members = [
      file('tool/1.0/bin/tool', program, 0o755),
      file('tool/1.0/lib/old', Buffer.from('old'), 0o644),
    ];
    const bottlePath = join(work.path, 'bottle.tar.gz');
    await writeFile(bottlePath, gzipSync(Buffer.concat([...encodeTar(members)])));
    const sink = testSink(await FileBlobStore.open(join(work.path, 'store')));
    const keg = { formula: 'tool', pkgVersion: '1.0', dependencies: [], tab: {} };
    const layer = await sink.pour({ ...keg, bottlePath }, {});
    const formula = parseFormula(
      { name: 'tool', versions: { stable: '1.0' }, bottle: {}, post_install_steps: steps },
      'x86_64_linux',
    );
    const directory = join(folder.path, 'sandbox');
    await mkdir(directory, { recursive: true, mode: 0o711 });
    const programs = createProgramSandbox({ directory, clock: systemClock, log: silentLog });
    const poured = { ...formula, version: '1.0', pkgVersion: '1.0', entries: layer.entries, layer };
    const finished = await finishPrefix(sink, [poured], { programs, architecture: machine });
    expect(await readdir(directory)).toEqual([]);
    return finished;
  }

  const tool = { base: 'bin', path: 'tool' };
  const bytesAt = (steps: readonly LinkStep[], path: string): string | undefined => {
    const found = steps.find((step) => step.path === path);
    return found?.kind === 'file' ? Buffer.from(found.bytes).toString() : undefined;
  };

  test('run confined, and what they change is in the layer', { timeout: 60_000 }, async () => {
    const { steps, leftOut } = await finish([
      { type: 'write', path: { base: 'var', path: 'input' }, content: 'before {{version}}' },
      {
        type: 'run',
        command: tool,
        stdin_path: { base: 'var', path: 'input' },
        args: ['copy'],
        stdout_path: { base: 'var', path: 'copied/output' },
      },
      { type: 'run', command: tool, stdout_path: { base: 'var', path: 'said' } },
      {
        type: 'move',
        source: { base: 'etc', path: 'made' },
        target: { base: 'etc', path: 'moved' },
      },
    ]);
    expect(leftOut).toEqual([]);
    expect(bytesAt(steps, 'var/copied/output')).toBe('before 1.0');
    expect(bytesAt(steps, 'var/said')?.split('\n')).toEqual([
      'uid 1',
      'network no',
      'root no',
      'other keg no',
      'etc yes',
      'keg yes',
      'folder yes',
      'link yes',
      'removed yes',
      '',
    ]);
    const made = steps.filter(({ path }) => /made|moved|cache|Cellar/.test(path));
    expect(made.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'file Cellar/tool/1.0/lib/made',
      'remove Cellar/tool/1.0/lib/old',
      'file etc/moved',
      'directory var/cache',
      'symlink var/cache/link',
    ]);
  });

  test(
    'that fail are left out with their words, and nothing of them stays',
    { timeout: 60_000 },
    async () => {
      const { steps, leftOut } = await finish([
        { type: 'run', command: tool, args: ['fail'], allow_failure: true },
        { type: 'run', command: tool, args: ['fail'] },
        { type: 'touch', path: { base: 'var', path: 'later' } },
      ]);
      expect(leftOut).toEqual([
        {
          formula: 'tool',
          step: 'run',
          why: expect.stringMatching(/bin\/tool ended with 3: broken$/),
        },
        { formula: 'tool', step: 'touch', why: 'run failed before it' },
      ]);
      expect(bytesAt(steps, 'etc/half')).toBe('');
      expect(bytesAt(steps, 'var/later')).toBeUndefined();
    },
  );

  test.each([
    [
      'that the image lacks',
      '/bin/sh',
      architecture,
      /^\/bin\/sh did not run: no such file or directory$/,
    ],
    ['of another machine', tool, 's390x', /for s390x, which this machine cannot/],
  ])('%s are left out', { timeout: 60_000 }, async (_name, command, machine, why) => {
    const { leftOut } = await finish([{ type: 'run', command }], machine);
    expect(leftOut.map((step) => step.why)).toEqual([expect.stringMatching(why)]);
  });
});
