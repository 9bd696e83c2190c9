import { spawnSync } from 'node:child_process';

/**
 * Runs programs of a folder of arm64 packages by qemu's user mode, and all that they start: in
 * namespaces where the kernel hands AArch64 programs to qemu (binfmt_misc of a user namespace, Linux
 * 6.7), with an empty /tmp.
 */
const script = `
root=$1; shift
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
printf '%s' ':a64:M::\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00:\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff:/usr/bin/qemu-aarch64-static:PF' > /proc/sys/fs/binfmt_misc/register
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs none "$root/tmp"
if [ -n "$WRITTEN" ]; then
  mkdir "$root/tmp/upper" "$root/tmp/work"
  mount -t overlay -o "lowerdir=$root/$WRITTEN,upperdir=$root/tmp/upper,workdir=$root/tmp/work" none "$root/$WRITTEN"
  mount -t tmpfs none "$root/tmp"
fi
# Not as the first process of its namespace, which is not ended by signals, but in a session of its own.
exec 3>&2 2>/dev/null
setsid --wait "$@" 2>&3 3>&-`;

export interface ProgramRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function runInQemu(
  root: string,
  command: {
    readonly argv: readonly string[];
    readonly env: readonly string[];
    readonly stdin: string;
    /** A minute unless given. */
    readonly timeoutMs?: number;
    /** A folder of `root` that may be written to: what is written is gone afterwards. */
    readonly written?: string;
  },
): ProgramRun {
  const { argv, env, stdin, timeoutMs = 60_000, written = '' } = command;
  const isolate = ['--user', '--map-root-user', '--mount', '--pid', '--fork', '--kill-child'];
  const { status, signal, stdout, stderr } = spawnSync(
    'unshare',
    [
      ...isolate,
      'sh',
      '-c',
      script,
      'sh',
      root,
      '/usr/bin/env',
      '-i',
      ...env,
      '/usr/sbin/chroot',
      root,
      ...argv,
    ],
    {
      input: stdin,
      timeout: timeoutMs,
      // What `unshare` waits for is ended with it; it heeds nothing else meanwhile.
      killSignal: 'SIGKILL',
      maxBuffer: 64 * 1024 * 1024,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', WRITTEN: written },
    },
  );
  if (signal !== null) throw new Error(`qemu was ended by ${signal}: ${argv.join(' ')}`);
  return { exitCode: status, stdout: stdout.toString('latin1'), stderr: stderr.toString('latin1') };
}

/** Why this machine cannot do that; undefined where it can. */
export function qemuSystemUnavailable(): string | undefined {
  const register = 'mount -t binfmt_misc none /proc/sys/fs/binfmt_misc';
  const isolate = ['--user', '--map-root-user', '--mount', 'sh', '-c', register];
  const { status } = spawnSync('unshare', isolate);
  return status === 0 ? undefined : 'binfmt_misc in a user namespace';
}
