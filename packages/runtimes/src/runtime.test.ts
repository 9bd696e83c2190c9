import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { silentLog, systemClock } from '@tapline/base';
import { rolldown } from 'rolldown';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { ContainerSpec } from './container-spec.ts';
import type { ContainerRuntimeInit } from './container-runtime.ts';
import { createRuncRuntime } from './create-runc-runtime.ts';
import { createUnconfinedRuntime } from './create-unconfined-runtime.ts';
import { probeHost } from './host-support.ts';
import { readOptional } from './read-optional.ts';
import type { Runtime } from './runtime.ts';
import { makeTestRootfs } from './testing/make-test-rootfs.ts';
import { createWasmRuntime } from './wasm/create-wasm-runtime.ts';
import { debianUnavailable } from '../../../tools/debian/debian-unavailable.ts';
import { unpackPackages } from '../../../tests/elf/unpack-packages.ts';

const isRoot = process.getuid?.() === 0;
const memoryGroups = isRoot && probeHost().cgroups.memory;
const hasRunc = spawnSync('runc', ['--version']).status === 0 && isRoot;

let rootfs: string;
beforeAll(async () => {
  rootfs = await mkdtemp(join(tmpdir(), 'tapline-rootfs-'));
  await chmod(rootfs, 0o755);
  makeTestRootfs(rootfs);
});
afterAll(async () => await rm(rootfs, { recursive: true }));

/** What every runtime does, whatever it confines. */
function runtimeContract(
  open: (init: ContainerRuntimeInit) => Promise<Runtime>,
  root: () => string = () => rootfs,
): void {
  let directory: string;
  let runtime: Runtime;

  const openHere = (): Promise<Runtime> =>
    open({ directory, clock: systemClock, log: silentLog, maxLogBytes: 1000 });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'tapline-runtime-'));
    await chmod(directory, 0o711);
    runtime = await openHere();
  });
  afterEach(async () => {
    for (const { id } of await runtime.list()) await runtime.remove(id);
    await runtime[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  const spec = (script: string, more: Partial<ContainerSpec> = {}): ContainerSpec =>
    specOf(root(), script, more);

  async function output(
    script: string,
    more: Partial<ContainerSpec> = {},
    stdin?: Uint8Array,
  ): Promise<{ code: number | undefined; stdout: string; stderr: string }> {
    let stdout = '';
    let stderr = '';
    const { exitCode } = await runtime.run(spec(script, more), {
      ...(stdin !== undefined && { stdin }),
      onStdout: (chunk) => (stdout += Buffer.from(chunk).toString()),
      onStderr: (chunk) => (stderr += Buffer.from(chunk).toString()),
    });
    return { code: exitCode, stdout, stderr };
  }

  async function until<T>(read: () => Promise<T>, done: (value: T) => boolean): Promise<T> {
    for (let tries = 0; ; tries += 1) {
      const value = await read();
      if (done(value) || tries > 200) return value;
      await systemClock.sleep(20);
    }
  }
  const logOf = async (id: string): Promise<string> => {
    const found = (await runtime.list()).find((container) => container.id === id);
    return found === undefined ? '' : await readFile(found.logPath, 'utf8');
  };

  describe('in the foreground', () => {
    test('gives output, exit code, environment and working directory', async () => {
      const result = await output('echo "$A in $PWD"; echo bad >&2; exit 7', {
        env: { PATH: '/bin', A: "it's" },
        workingDirectory: '/etc',
      });
      expect(result).toEqual({ code: 7, stdout: "it's in /etc\n", stderr: 'bad\n' });
      expect(await runtime.list()).toEqual([]);
    });

    test('takes input, of which the process may leave some', async () => {
      const megabyte = Buffer.alloc(1024 * 1024, 'x');
      expect((await output('cat', {}, megabyte)).stdout).toHaveLength(megabyte.length);
      expect((await output('head -c 3', {}, megabyte)).stdout).toBe('xxx');
      expect((await output('cat', {})).stdout).toBe('');
    });

    test('says which signal ended the process', async () => {
      const status = await runtime.run(spec('sh -c "kill -9 \\$\\$"; exit $?'));
      expect(status).toEqual({ exitCode: 137, signal: 'SIGKILL' });
    });

    test('ends with its time and with its caller, and leaves nothing running', async () => {
      const before = systemClock.monotonic();
      await expect(runtime.run(spec('sleep 30'), { timeoutMs: 200 })).rejects.toMatchObject({
        code: 'run_timeout',
      });
      const signal = AbortSignal.timeout(200);
      await expect(runtime.run(spec('sleep 31'), { signal })).rejects.toMatchObject({
        name: 'TimeoutError',
      });
      expect(systemClock.monotonic() - before).toBeLessThan(10_000);
      expect(await running('sleep 30', 'sleep 31')).toBe(false);
    });

    test('runs one prepared container many times, also at once', async () => {
      const prepared = await runtime.prepare(spec('exit 3'));
      const results = await Promise.all([1, 2, 3].map(() => runtime.run(prepared)));
      expect(results.map(({ exitCode }) => exitCode)).toEqual([3, 3, 3]);
      expect((await runtime.run(prepared)).exitCode).toBe(3);
    });

    test('refuses what it cannot be', async () => {
      const wrong: readonly Partial<ContainerSpec>[] = [
        { id: '../x' },
        { id: '' },
        { command: [] },
        { rootfs: 'relative' },
        { env: { 'A=B': 'c' } },
        { user: { uid: -1, gid: 0 } },
        { limits: { pids: 0 } },
        { tmpfs: [{ path: '/a/../../b', sizeBytes: 1 }] },
      ];
      for (const fields of wrong) {
        await expect(runtime.run(spec('exit 0', fields))).rejects.toMatchObject({
          code: 'container_invalid',
        });
      }
    });
  });

  describe('in the background', () => {
    test('starts, is listed with its labels, logs, and stops', async () => {
      const loop = 'trap "echo bye; exit 5" TERM; echo up; while :; do sleep 0.05; done';
      const { id, pid } = await runtime.start(spec(loop, { labels: { role: 'test' } }));
      expect(pid).toBeGreaterThan(1);
      const [state] = await runtime.list();
      expect(state).toMatchObject({ id, status: 'running', labels: { role: 'test' } });
      await until(
        () => logOf(id),
        (log) => log.includes('up'),
      );
      await runtime.stop(id, { graceMs: 5000 });
      await runtime.stop(id, { graceMs: 5000 });
      expect((await runtime.list())[0]).toMatchObject({ status: 'stopped', exitCode: 5 });
      expect(await logOf(id)).toBe('up\nbye\n');
      expect(await runtime.wait(id)).toMatchObject({ exitCode: 5 });
    });

    test('kills what does not stop within its grace', async () => {
      const deaf = 'trap "" TERM; echo up; while :; do sleep 0.05; done';
      const { id } = await runtime.start(spec(deaf));
      await until(
        () => logOf(id),
        (log) => log.includes('up'),
      );
      await runtime.stop(id, { graceMs: 100 });
      expect((await runtime.list())[0]).toMatchObject({ status: 'stopped', exitCode: 137 });
    });

    test('waits for an end, and starts what has ended anew', async () => {
      const brief = spec('exit 4');
      await runtime.start(brief);
      expect(await runtime.wait(brief.id)).toEqual({ exitCode: 4, signal: undefined });
      await runtime.start(spec('exit 6'));
      expect(await runtime.wait(brief.id)).toEqual({ exitCode: 6, signal: undefined });
      expect(await runtime.list()).toHaveLength(1);
    });

    test('leaves no descriptors open, however many it starts', async () => {
      const cycle = async (): Promise<number> => {
        await runtime.start(spec('exit 0'));
        await runtime.wait('test');
        await runtime.run(spec('exit 0'));
        await runtime.remove('test');
        await systemClock.sleep(20);
        return readdirSync('/proc/self/fd').length;
      };
      await cycle();
      const before = await cycle();
      for (let round = 0; round < 5; round += 1) await cycle();
      expect(await cycle()).toBeLessThanOrEqual(before + 2);
    });

    test('refuses to start twice, and forgets what is removed', async () => {
      const long = spec('sleep 32');
      await runtime.start(long);
      await expect(runtime.start(long)).rejects.toMatchObject({ code: 'container_exists' });
      await runtime.remove(long.id);
      await runtime.remove(long.id);
      expect(await runtime.list()).toEqual([]);
      expect(await running('sleep 32')).toBe(false);
      await expect(runtime.wait(long.id)).rejects.toMatchObject({ code: 'container_unknown' });
    });

    test('runs other processes inside', async () => {
      const { id } = await runtime.start(spec('sleep 33'));
      let stdout = '';
      const status = await runtime.exec(
        id,
        { ...spec('cat; echo "$B"; exit 9'), env: { PATH: '/bin', B: 'inside' } },
        {
          stdin: Buffer.from('in '),
          onStdout: (chunk) => (stdout += Buffer.from(chunk).toString()),
        },
      );
      expect([status.exitCode, stdout]).toEqual([9, 'in inside\n']);
      await expect(runtime.exec(id, spec('sleep 34'), { timeoutMs: 200 })).rejects.toMatchObject({
        code: 'run_timeout',
      });
      expect(await running('sleep 34')).toBe(false);
      await expect(runtime.exec('nobody', spec('exit 0'))).rejects.toMatchObject({
        code: 'container_unknown',
      });
    });

    test('outlives the process that started it, which may be killed', async () => {
      const child = execFile(process.execPath, [
        '--input-type=module',
        '-e',
        starter(runtime.name),
        join(directory, 'other'),
        root(),
      ]);
      child.stderr?.pipe(process.stderr);
      await once(child.stdout ?? child, 'data');
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      await runtime[Symbol.asyncDispose]();
      directory = join(directory, 'other');
      runtime = await openHere();
      directory = join(directory, '..');
      // Its exit code was written down although nobody was there to see it.
      expect((await runtime.wait('brief')).exitCode).toBe(8);
      const states = await runtime.list();
      expect(states.map(({ id, status }) => `${id} ${status}`)).toEqual([
        'brief stopped',
        'lasting running',
      ]);
      await runtime.stop('lasting', { graceMs: 5000 });
      expect((await runtime.list())[1]).toMatchObject({ status: 'stopped', exitCode: 3 });
      expect(await logOf('lasting')).toBe('up\n');
      expect(await running('sleep 35')).toBe(false);
    });
  });
}

/** Starts three containers, one of them in the foreground, and waits to be killed. */
function starter(name: Runtime['name']): string {
  const here = (file: string): string => JSON.stringify(join(import.meta.dirname, file));
  const call = {
    runc: 'createRuncRuntime(init)',
    unconfined: 'createUnconfinedRuntime({ ...init, acceptNoIsolation: true })',
    wasm: 'createWasmRuntime(init)',
    'apple-container': '',
    colima: '',
    'podman-machine': '',
    none: 'Promise.reject(new Error("none runs nothing"))',
  }[name];
  return `
    import { createRuncRuntime, createUnconfinedRuntime, createWasmRuntime } from ${here('index.ts')};
    import { silentLog, systemClock } from '@tapline/base';
    const [directory, rootfs] = process.argv.slice(1);
    const init = { directory, clock: systemClock, log: silentLog };
    const runtime = await ${call};
    const spec = ${specOf.toString()};
    await runtime.start(spec(rootfs, 'sleep 1; exit 8', { id: 'brief' }));
    await runtime.start(spec(rootfs, 'trap "exit 3" TERM; echo up; while :; do sleep 0.05; done', { id: 'lasting' }));
    void runtime.run(spec(rootfs, 'echo running; sleep 35', { id: 'waited-for' }), {
      onStdout: () => process.stdout.write('ready'),
    });
    setInterval(() => {}, 1000);
  `;
}

function specOf(root: string, script: string, more: Partial<ContainerSpec>): ContainerSpec {
  return {
    id: 'test',
    rootfs: root,
    command: ['sh', '-c', script],
    env: { PATH: '/bin' },
    workingDirectory: '/',
    user: { uid: 1000, gid: 1000 },
    hostname: 'device',
    limits: {},
    tmpfs: [{ path: '/tmp', sizeBytes: 1024 * 1024 }],
    network: 'none',
    labels: {},
    ...more,
  };
}

/** Whether a process with one of such command lines still runs, soon. */
async function running(...commandLines: readonly string[]): Promise<boolean> {
  for (let tries = 0; tries < 50; tries += 1) {
    const found = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map((pid) => readOptional(`/proc/${pid}/cmdline`)?.split('\0').join(' ').trim() ?? '');
    if (!found.some((commandLine) => commandLines.includes(commandLine))) return false;
    await systemClock.sleep(20);
  }
  return true;
}

describe.skipIf(!hasRunc)('runc (skipped without runc or root)', () => {
  runtimeContract((init) => createRuncRuntime(init));

  describe('confines', () => {
    let directory: string;
    let runtime: Runtime;
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'tapline-runc-'));
      runtime = await createRuncRuntime({ directory, clock: systemClock, log: silentLog });
    });
    afterAll(async () => {
      await runtime[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    });
    async function inside(script: string, more: Partial<ContainerSpec> = {}): Promise<string> {
      let text = '';
      const take = (chunk: Uint8Array): void => void (text += Buffer.from(chunk).toString());
      await runtime.run(specOf(rootfs, script, more), { onStdout: take, onStderr: take });
      return text;
    }

    test.each([0, 1000])('user %i has no capabilities and cannot get any', async (uid) => {
      const status = await inside('cat /proc/self/status', { user: { uid, gid: uid } });
      expect(status).toMatch(/^CapEff:\t0+$/m);
      expect(status).toMatch(/^CapPrm:\t0+$/m);
      expect(status).toMatch(/^CapBnd:\t0+$/m);
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
      expect(status).toMatch(/^Seccomp:\t2$/m);
    });

    test('the root is read-only and /tmp is writable up to its size', async () => {
      expect(await inside('touch /x', { user: { uid: 0, gid: 0 } })).toContain('Read-only');
      expect(await inside('touch /tmp/x && echo made')).toBe('made\n');
      const fill = 'head -c 2000000 /dev/zero >/tmp/x || echo full';
      expect(await inside(fill)).toContain('full');
    });

    test('processes, network and host name are its own', async () => {
      expect(await inside('echo $$; cat /proc/sys/kernel/hostname')).toBe('1\ndevice\n');
      const devices = (await inside('cat /proc/net/dev')).match(/^\s*\w+:/gm);
      expect(devices?.map((name) => name.trim())).toEqual(['lo:']);
    });

    test('the number of processes is limited', async () => {
      const bomb = 'i=0; while [ $i -lt 40 ]; do sleep 1 & i=$((i+1)); done; wait; echo all';
      expect(await inside(bomb, { limits: { pids: 10 } })).toMatch(/fork|Cannot/);
    });

    test.skipIf(!memoryGroups)('memory is limited (skipped without control groups)', async () => {
      const hog = specOf(rootfs, 'exec head -c 100000000 /dev/zero >/tmp/x', {
        limits: { memoryBytes: 32 * 1024 * 1024 },
        tmpfs: [{ path: '/tmp', sizeBytes: 256 * 1024 * 1024 }],
      });
      expect(await runtime.run(hog)).toEqual({ exitCode: 137, signal: 'SIGKILL' });
    });

    test('what escapes begin with is refused', async () => {
      const asRoot = { user: { uid: 0, gid: 0 } };
      expect(await inside('unshare --user true', asRoot)).toMatch(/not permitted/);
      expect(await inside('mount -t tmpfs x /tmp', asRoot)).toMatch(
        /permission denied|not permitted/,
      );
    });

    test('a program that is not there says so', async () => {
      const missing = specOf(rootfs, '', { command: ['no-such-program'] });
      await expect(runtime.run(missing)).rejects.toMatchObject({
        code: 'container_start_failed',
        message: expect.stringContaining('no-such-program'),
      });
      await expect(runtime.start(missing)).rejects.toMatchObject({
        code: 'container_start_failed',
        message: expect.stringContaining('no-such-program'),
      });
      await runtime.remove(missing.id);
    });

    test('says what confines it', async () => {
      await runtime.start(
        specOf(rootfs, 'sleep 36', { limits: { pids: 10, memoryBytes: 2 ** 26 } }),
      );
      const [state] = await runtime.list();
      await runtime.remove('test');
      expect(state?.confinement.noNewPrivileges).toBe(true);
      expect(state?.confinement.limitsEnforcedBy.pids).toMatch(/cgroup|rlimit/);
      expect(state?.confinement.limitsEnforcedBy.cpu).toBe('none');
    });
  });
});

describe.skipIf(!isRoot)('unconfined (skipped without root)', () => {
  runtimeContract((init) => createUnconfinedRuntime({ ...init, acceptNoIsolation: true }));
});

const noDebian = await debianUnavailable('arm64');

describe.skipIf(noDebian !== undefined)(`wasm (needs ${noDebian ?? 'nothing'})`, () => {
  let arm64: string;
  let program: string;
  const open = (init: ContainerRuntimeInit): Promise<Runtime> =>
    createWasmRuntime({ ...init, program });
  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tapline-guest-'));
    program = join(folder, 'guest-program.js');
    // As ./tapline has it: to strip the types of all sources takes longer than what is started.
    await using bundle = await rolldown({
      input: join(import.meta.dirname, 'wasm/guest-program.ts'),
      platform: 'node',
      logLevel: 'warn',
    });
    await bundle.write({ file: program, format: 'esm' });
    arm64 = await mkdtemp(join(tmpdir(), 'tapline-arm64-'));
    await unpackPackages(arm64, { architecture: 'arm64', names: ['busybox-static'] });
    for (const name of ['etc', 'tmp']) await mkdir(join(arm64, name));
    for (const name of ['sh', 'cat', 'sleep', 'head']) {
      await symlink('busybox', join(arm64, 'bin', name));
    }
  });
  afterAll(async () => {
    for (const path of [arm64, dirname(program)]) await rm(path, { recursive: true });
  });

  runtimeContract(open, () => arm64);

  describe('confines', () => {
    let directory: string;
    let runtime: Runtime;
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'tapline-wasm-'));
      runtime = await open({ directory, clock: systemClock, log: silentLog });
    });
    afterAll(async () => {
      await runtime[Symbol.asyncDispose]();
      await rm(directory, { recursive: true });
    });
    async function inside(script: string, more: Partial<ContainerSpec> = {}): Promise<string> {
      let text = '';
      const take = (chunk: Uint8Array): void => void (text += Buffer.from(chunk).toString());
      await runtime.run(specOf(arm64, script, more), { onStdout: take, onStderr: take });
      return text;
    }

    test('what it writes is nowhere, and ends at the size of its memory file systems', async () => {
      const script =
        'echo x >/etc/made && cat /etc/made; head -c 2000000 /dev/zero >/tmp/x || echo full';
      const text = await inside(script, { user: { uid: 0, gid: 0 } });
      expect(text).toContain('x\n');
      expect(text).toContain('full');
      expect(readdirSync(join(arm64, 'etc'))).toEqual([]);
    });

    test('processes and memory are limited, and who limits them is said', async () => {
      const bomb = 'i=0; while [ $i -lt 40 ]; do sleep 1 & i=$((i+1)); done; wait; echo all';
      const limits = { pids: 10, memoryBytes: 2 ** 26 };
      expect(await inside(bomb, { limits })).toMatch(/fork|Cannot|Try again/i);
      await runtime.start(specOf(arm64, 'sleep 36', { limits }));
      const [state] = await runtime.list();
      await runtime.remove('test');
      expect(state?.confinement).toMatchObject({
        noNewPrivileges: true,
        limitsEnforcedBy: { memory: 'machine', pids: 'machine', cpu: 'none' },
      });
    });

    test('after it was killed it is started anew', async () => {
      const lasting = specOf(arm64, 'echo up; sleep 37', {});
      const { id, pid } = await runtime.start(lasting);
      process.kill(pid, 'SIGKILL');
      await runtime.wait(id);
      await runtime.start(lasting);
      const { exitCode } = await runtime.exec(id, specOf(arm64, 'exit 4', {}));
      expect(exitCode).toBe(4);
      await runtime.remove(id);
    });

    test('what was translated for a program is there for its next container', async () => {
      const work = 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done; echo $i';
      expect(await inside(work)).toBe('3000\n');
      const names = readdirSync(join(directory, 'code'));
      expect(names).toHaveLength(1);
      expect(statSync(join(directory, 'code', names[0] ?? '')).mode & 0o777).toBe(0o600);
      expect(await inside(work)).toBe('3000\n');
      expect(readdirSync(join(directory, 'code'))).toEqual(names);
    });

    test('a program that is not there says so', async () => {
      const missing = specOf(arm64, '', { command: ['no-such-program'] });
      for (const begin of [() => runtime.run(missing), () => runtime.start(missing)]) {
        await expect(begin()).rejects.toMatchObject({
          code: 'container_start_failed',
          message: expect.stringContaining('no-such-program'),
        });
      }
      await runtime.remove(missing.id);
    });
  });
});
