import { CodeCache } from '@tapline/a64';
import { runInQemu } from '../qemu-system.ts';
import { runInUserland } from '../run-in-userland.ts';
import type { SelfTest } from './self-test.ts';

const env = ['PATH=/usr/bin:/bin', 'HOME=/tmp', 'LC_ALL=C.UTF-8', 'TZ=UTC', 'TERM=xterm'];

/** What a test came to, here and under qemu. */
export interface SelfTestOutcome {
  readonly ours: string;
  readonly theirs: string;
  /** Numbers of system calls that there are not. */
  readonly unknown: readonly number[];
  readonly ourMs: number;
  readonly theirMs: number;
}

/** Runs tests one after the other, each in a new system; what was translated is kept among them. */
export function selfTestRunner(
  root: string,
  { selfTest, timeoutMs }: { readonly selfTest: SelfTest; readonly timeoutMs: number },
): {
  run(test: string): Promise<SelfTestOutcome>;
  qemu(test: string): { readonly output: string; readonly ms: number };
} {
  const codeCache = new CodeCache();
  const { shell, script, comparable = (output) => output } = selfTest;
  const command = (test: string): { argv: string[]; env: string[]; stdin: string } => ({
    argv: [shell, '-c', `cd /tmp; ${script(test)}`],
    env,
    stdin: '',
  });
  function qemu(test: string): { readonly output: string; readonly ms: number } {
    const started = performance.now();
    const output = said(runInQemu(root, { ...command(test), timeoutMs, written: 'work' }));
    return { output: comparable(output), ms: performance.now() - started };
  }
  return {
    qemu,
    async run(test) {
      const theirs = qemu(test);
      const started = performance.now();
      const signal = AbortSignal.timeout(timeoutMs);
      const { unknown, ...run } = await runInUserland(root, {
        ...command(test),
        codeCache,
        signal,
      });
      const ourMs = performance.now() - started;
      const ours = comparable(said(run));
      return { ours, theirs: theirs.output, unknown, ourMs, theirMs: theirs.ms };
    },
  };
}

function said(run: {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}): string {
  const { exitCode, stdout, stderr } = run;
  return `${stdout}${stderr === '' ? '' : `errors:\n${stderr}`}${exitCode === 0 ? '' : `ended with ${exitCode}\n`}`;
}
