import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { DebianI386 } from './debian-i386.ts';

const withinMs = 600_000;

/** A run of a tool in the machine. */
export interface MachineRun {
  readonly name: string;
  readonly milliseconds: number;
  readonly exitCode: number;
  /** SHA-256 of its output, in lower-case hex. */
  readonly wrote: string;
}

/** Starts v86 in a process of its own and says what ran in it, by the clock of this machine. */
export async function runMachine(
  debian: DebianI386,
  how: { readonly archive: Buffer; readonly folder: string },
): Promise<{ readonly bootMs: number; readonly runs: readonly MachineRun[] }> {
  const initramfs = join(how.folder, 'initramfs');
  await writeFile(initramfs, how.archive);
  const program = join(import.meta.dirname, 'run-v86.ts');
  const { bios, videoBios, kernel } = debian;
  const child = spawn(process.execPath, [program, bios, videoBios, kernel, initramfs], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), withinMs);
  let said = '';
  child.stderr.on('data', (some) => (said = `${said}${String(some)}`.slice(-5000)));
  const runs: MachineRun[] = [];
  let bootMs = 0;
  let startedMs = 0;
  let ended: Omit<MachineRun, 'wrote'> | undefined;
  let done = false;
  for await (const line of createInterface({ input: child.stdout })) {
    const [, at = '', what = '', rest = ''] = /^(\S+) > (\S+) ?(.*)$/.exec(line) ?? [];
    const [word = '', ...name] = rest.split(' ');
    if (what === 'start') {
      startedMs = Number(at);
      if (bootMs === 0) bootMs = startedMs;
    } else if (what === 'end') {
      const milliseconds = Number(at) - startedMs;
      ended = { name: name.join(' '), milliseconds, exitCode: Number(word) };
    } else if (what === 'wrote' && ended !== undefined) runs.push({ ...ended, wrote: word });
    else if (what === 'done') done = true;
  }
  clearTimeout(timer);
  if (!done) throw new Error(`v86 did not come to its end; it said: ${said}`);
  return { bootMs, runs };
}
