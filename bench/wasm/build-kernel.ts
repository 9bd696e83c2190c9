import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('./kernels/', import.meta.url));

export const compilers = { arm64: 'aarch64-linux-gnu-gcc', native: 'gcc' } as const;

/** Compiles a kernel to a static program and says where it is. */
export function buildKernel(
  kernel: { readonly name: string; readonly optimise: string },
  target: { readonly machine: keyof typeof compilers; readonly folder: string },
): string {
  const program = join(target.folder, `${kernel.name}.${target.machine}`);
  const sources = [join(folder, 'measure.c'), join(folder, `${kernel.name}.c`)];
  const words = [kernel.optimise, '-static', '-o', program, ...sources, '-lm'];
  execFileSync(compilers[target.machine], words);
  return program;
}
