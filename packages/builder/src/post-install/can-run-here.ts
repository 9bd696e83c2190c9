import { existsSync, readFileSync } from 'node:fs';

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
/** How Linux names the emulators of programs of another machine. */
const emulators: Readonly<Record<string, string>> = { amd64: 'qemu-x86_64', arm64: 'qemu-aarch64' };

/** Why this machine runs no program of the architecture; undefined where it does. */
export function cannotRunHere(architecture: string): string | undefined {
  if (architectures[process.arch] === architecture) return undefined;
  const entry = `/proc/sys/fs/binfmt_misc/${emulators[architecture] ?? 'none'}`;
  const text = existsSync(entry) ? readFileSync(entry, 'utf8') : '';
  // With the flag F the emulator is open already, so that it need not be in the image.
  const works = /^enabled$/m.test(text) && /^flags:.*F/m.test(text);
  return works ? undefined : `runs a program for ${architecture}, which this machine cannot`;
}
