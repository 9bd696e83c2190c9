import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog, systemClock } from '@tapline/base';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ContainerSpec } from '../container-spec.ts';
import type { Runtime } from '../runtime.ts';
import { makeTestRootfs } from '../testing/make-test-rootfs.ts';
import { createMachineRuntime } from './create-machine-runtime.ts';
import { appleContainer, podmanMachine } from './dialects.ts';
import type { MachineDialect } from './machine-dialect.ts';

let folder: string;
let rootfs: string;
/** Those of this test's runtime. */
let images: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tapline-machine-'));
  rootfs = join(folder, 'rootfs');
  const runtime = join(folder, 'runtime');
  images = `localhost/tapline-${createHash('sha256').update(runtime).digest('hex').slice(0, 8)}`;
  await mkdir(rootfs);
  makeTestRootfs(rootfs);
});
afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));

function open(dialect: MachineDialect, path = ''): Promise<Runtime> {
  const home = process.env['HOME'] ?? '/';
  const environment = { HOME: home, PATH: `${path}${process.env['PATH'] ?? ''}` };
  const directory = join(folder, 'runtime');
  return createMachineRuntime({
    dialect,
    environment,
    directory,
    clock: systemClock,
    log: silentLog,
  });
}

function spec(script: string, more: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    id: 'test',
    rootfs,
    command: ['/bin/sh', '-c', script],
    env: { PATH: '/bin', A: "it's" },
    workingDirectory: '/',
    user: { uid: 1000, gid: 1000 },
    hostname: 'device',
    limits: {},
    tmpfs: [{ path: '/tmp', sizeBytes: 1024 * 1024 }],
    network: 'none',
    labels: { role: 'test' },
    ...more,
  };
}

/** What was left in the end: nothing. */
async function throughALife(runtime: Runtime): Promise<readonly unknown[]> {
  let said = '';
  const onStdout = (chunk: Uint8Array): void => void (said += Buffer.from(chunk).toString());
  const ended = await runtime.run(spec('cat; echo " $A"; exit 7', { id: 'brief' }), {
    stdin: Buffer.from('in'),
    onStdout,
  });
  expect([ended.exitCode, said]).toEqual([7, "in it's\n"]);

  const loop = 'trap "echo bye; exit 5" TERM; echo up; while :; do sleep 0.05; done';
  const { id } = await runtime.start(spec(loop));
  const [state] = await runtime.list();
  expect(state).toMatchObject({ id, status: 'running', labels: { role: 'test' } });
  async function logged(text: string): Promise<void> {
    for (let tries = 0; tries < 1000; tries += 1) {
      if ((await readFile(state?.logPath ?? '', 'utf8')).includes(text)) return;
      await systemClock.sleep(20);
    }
    throw new Error(`it does not say ${text}`);
  }
  await logged('up');
  await expect(runtime.start(spec(loop))).rejects.toMatchObject({ code: 'container_exists' });
  said = '';
  const other = await runtime.exec(id, spec('echo "$A"; exit 9'), { onStdout });
  expect([other.exitCode, said]).toEqual([9, "it's\n"]);
  await runtime.stop(id, { graceMs: 20_000 });
  expect((await runtime.list())[0]).toMatchObject({ status: 'stopped', exitCode: 5 });
  await logged('bye');
  await runtime.remove(id);
  return await runtime.list();
}

const isThere = (program: string): boolean => spawnSync(program, ['--version']).status === 0;
const noPodman = process.getuid?.() !== 0 || !isThere('podman') || !isThere('runc');
describe.skipIf(noPodman)(
  'Podman, here without its machine (skipped without podman, runc or root)',
  () => {
    const dialect: MachineDialect = {
      ...podmanMachine,
      // Podman's own choice needs one version of control groups, and limits that can be raised.
      program: ['podman', '--runtime', 'runc'],
      machine: { command: ['true'], isUp: () => true, hint: '' },
      runFlags: (one) => [...podmanMachine.runFlags(one), '--ulimit=nproc=1024:1024'],
    };
    afterEach(() => {
      const found = spawnSync('podman', ['images', '--quiet', '--filter', `reference=${images}`]);
      const ids = found.stdout
        .toString()
        .split('\n')
        .filter((id) => id !== '');
      if (ids.length > 0) spawnSync('podman', ['rmi', '--force', ...ids]);
    });

    test('a container lives as by any other runtime', async () => {
      await using runtime = await open(dialect);
      expect(await throughALife(runtime)).toEqual([]);
    }, 120_000);
  },
);

/** Apple's `container` as its commands are documented, with processes of this host in its containers. */
const fakeContainer = `#!/bin/sh
here=$(dirname "$0")
echo "$*" >>"$here/asked"
names="$here/names"
mkdir -p "$names"
case "$1 $2" in
  'system status') cat "$here/status" ;;
  'network create') exit 1 ;;
  'image inspect') [ -e "$here/image" ] ;;
  'image load') cp "$4" "$here/image" ;;
  'ls --all')
    printf '['
    for file in "$names"/*; do
      [ -e "$file" ] && printf '%s{"id":"%s","configuration":{},"status":{"state":"running"}}' "$comma" "$(basename "$file")" && comma=,
    done
    printf ']' ;;
  'kill --signal') kill -"\${3#SIG}" "$(cat "$names/$4")" ;;
  'rm --force') rm -f "$names/$3" ;;
  run*)
    while [ "$1" != --env-file ]; do
      [ "$1" = --name ] && name=$2
      [ "$1" = --cidfile ] && echo "$name" >"$2"
      shift
    done
    while IFS='=' read -r key value; do export "$key=$value"; done <"$2"
    while ! case "$1" in localhost/*) true ;; *) false ;; esac do shift; done
    shift
    echo $$ >"$names/$name"
    exec "$@" "$name" ;;
  exec*)
    while IFS='=' read -r key value; do export "$key=$value"; done <"$4"
    while ! case "$1" in tapline-*) true ;; *) false ;; esac do shift; done
    shift
    exec "$@" ;;
esac
`;

describe('the command line of another program', () => {
  async function fake(status: string): Promise<string> {
    const bin = join(folder, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'container'), fakeContainer);
    await chmod(join(bin, 'container'), 0o755);
    await writeFile(join(bin, 'status'), status);
    return bin;
  }

  test('is all that is needed of a machine', async () => {
    const bin = await fake('apiserver is running\n');
    {
      await using runtime = await open(appleContainer, `${bin}:`);
      expect(await throughALife(runtime)).toEqual([]);
    }
    const asked = (await readFile(join(bin, 'asked'), 'utf8')).split('\n');
    const kinds = asked.map((words) => words.split(' ').slice(0, 2).join(' '));
    expect(kinds.filter((kind) => kind === 'image load')).toHaveLength(1);
    expect(asked.join('\n')).not.toContain("it's");
    expect(kinds.slice(0, 5)).toEqual([
      'system status',
      'network create',
      'image inspect',
      'image load',
      'run --name',
    ]);
  }, 60_000);

  test('says when the machine does not run, and what to do', async () => {
    const bin = await fake('apiserver is not running and not registered with launchd\n');
    await expect(open(appleContainer, `${bin}:`)).rejects.toMatchObject({
      code: 'runtime_unavailable',
      hint: 'start it with `container system start`',
    });
  });
});
