import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = join(fileURLToPath(import.meta.url), '..', 'oracle.s');

export const oraclePrograms = [
  'aarch64-linux-gnu-as',
  'aarch64-linux-gnu-ld',
  'qemu-aarch64-static',
] as const;

/** Assembles oracle.s into a folder and says where the program is. */
export function buildOracle(folder: string): string {
  const object = join(folder, 'oracle.o');
  const program = join(folder, 'oracle');
  execFileSync('aarch64-linux-gnu-as', ['-o', object, source]);
  // Where no case's addresses come to by chance: what is the program's own is not mapped for us.
  execFileSync('aarch64-linux-gnu-ld', ['-Ttext-segment=0x2a5a5a000000', '-o', program, object]);
  return program;
}
