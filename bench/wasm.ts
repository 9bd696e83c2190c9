import { execFileSync } from 'node:child_process';
import { haveProgram, temporaryFolder } from '@tapline/testing';
import { benchmarkRow, type BenchmarkRow, type Measurement } from './result.ts';
import { buildKernel, compilers } from './wasm/build-kernel.ts';
import { kernels } from './wasm/kernel-names.ts';
import { runHere } from './wasm/run-here.ts';
import { startRows } from './wasm/start-rows.ts';
import { toolRows } from './wasm/tool-rows.ts';
import { parseTurns, type Turns, warmMilliseconds } from './wasm/turn-times.ts';

const turns = 24;
const qemu = 'qemu-aarch64-static';

/**
 * Static arm64 programs translated to WebAssembly, beside qemu's translation of the same programs,
 * and the same sources compiled for this machine as the limit; then programs of Debian, as they are.
 * `only` are names of kernels or tools, `tools`, `webkit`, `chromium`, `v86`, `start` or `memory`.
 */
export async function benchmarkWasm(only: readonly string[]): Promise<Measurement> {
  const missing = [qemu, ...Object.values(compilers)].filter((program) => !haveProgram(program));
  if (missing.length > 0) throw new Error(`needs ${missing.join(', ')}`);
  await using folder = await temporaryFolder();
  const rows: BenchmarkRow[] = [];
  const ratios: number[] = [];
  for (const kernel of kernels) {
    if (only.length > 0 && !only.includes(kernel.name)) continue;
    const arm64 = buildKernel(kernel, { machine: 'arm64', folder: folder.path });
    const native = buildKernel(kernel, { machine: 'native', folder: folder.path });
    const words = [String(turns)];
    const ours = parseTurns(await runHere(arm64, words));
    const theirs = runThere(qemu, [arm64, ...words]);
    const limit = runThere(native, words);
    if (ours.result !== theirs.result) {
      throw new Error(`${kernel.name} came to ${ours.result}, under qemu to ${theirs.result}`);
    }
    const row = benchmarkRow({
      metric: `${kernel.name}: turns when warm`,
      unit: '/s',
      better: 'higher',
      ours: 1000 / warmMilliseconds(ours),
      peers: { qemu: 1000 / warmMilliseconds(theirs) },
      note: `native ${(1000 / warmMilliseconds(limit)).toFixed(0)}/s; first turn ${ours.milliseconds[0]?.toFixed(0)} ms, under qemu ${theirs.milliseconds[0]?.toFixed(0)} ms`,
    });
    rows.push(row);
    ratios.push(row.ratio ?? 0);
  }
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  if (only.length === 0) {
    rows.push(
      benchmarkRow({
        metric: 'all kernels: geometric mean against qemu',
        unit: '×',
        better: 'higher',
        ours: mean,
        peers: { qemu: 1 },
        goal: 1,
        goalOn: 'ratio',
      }),
    );
  }
  if (only.length === 0 || only.includes('start'))
    rows.push(...(await startRows(qemu, folder.path)));
  if (!kernels.some(({ name }) => only.includes(name))) {
    rows.push(...(await toolRows(qemu, folder.path, only)));
  }
  return { versions: { node: process.version, qemu: versionOf(qemu) }, rows };
}

function runThere(program: string, words: readonly string[]): Turns {
  return parseTurns(execFileSync(program, words, { encoding: 'utf8' }));
}

function versionOf(program: string): string {
  const text = execFileSync(program, ['--version'], { encoding: 'utf8' });
  return /version (\S+)/.exec(text)?.[1] ?? 'unknown';
}
