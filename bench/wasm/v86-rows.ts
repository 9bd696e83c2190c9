import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CodeCache } from '@tapline/a64';
import { benchmarkRow, type BenchmarkRow } from '../result.ts';
import { least, nativeNote, type Run, runTool } from './run-tool.ts';
import { bcProgram, type Tool, toolInput, tools } from './tool-list.ts';
import { fetchDebianI386 } from './v86/debian-i386.ts';
import { firstProcess } from './v86/first-process.ts';
import { rootArchive } from './v86/root-archive.ts';
import { type MachineRun, runMachine } from './v86/run-machine.ts';

/** Of ours; all but the first count. */
const rounds = 4;
/** Of v86; both count, as its machine is not started anew. */
const roundsThere = 2;

/**
 * The same tools with the same work in v86: Debian's builds for i386 under Debian's kernel, which has
 * started before. `root` is that of the arm64 ones.
 */
export async function v86Rows(folder: string, root: string): Promise<readonly BenchmarkRow[]> {
  const place = join(folder, 'v86');
  await mkdir(place);
  const debian = await fetchDebianI386(place);
  const files = new Map<string, Uint8Array>([
    ['init', Buffer.from(firstProcess(tools, roundsThere))],
    ['work/pi', Buffer.from(bcProgram)],
  ]);
  for (const kind of ['text', 'bytes', 'json'] as const) files.set(`work/${kind}`, toolInput(kind));
  const archive = await rootArchive(debian.root, files);
  const { bootMs, runs } = await runMachine(debian, { archive, folder: place });
  const rows: BenchmarkRow[] = [];
  for (const tool of tools) {
    const theirs = runs.filter(({ name }) => name === tool.name);
    rows.push(await rowOf(tool, { root, theirs }));
  }
  const logs = rows.map(({ ratio = 0 }) => Math.log(ratio));
  const mean = Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
  const whole = benchmarkRow({
    metric: 'all tools: geometric mean against v86',
    unit: '×',
    better: 'higher',
    ours: mean,
    peers: { v86: 1 },
    goal: 5,
    goalOn: 'ratio',
    note: `v86 had started its kernel in ${(bootMs / 1000).toFixed(0)} s before`,
  });
  return [...rows, whole];
}

async function rowOf(
  tool: Tool,
  { root, theirs }: { readonly root: string; readonly theirs: readonly MachineRun[] },
): Promise<BenchmarkRow> {
  const input = tool.input === undefined ? undefined : toolInput(tool.input);
  const codeCache = new CodeCache();
  const ours: Run[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await runTool(tool.argv, { root, input, codeCache }));
  }
  const wrote = createHash('sha256')
    .update(ours[0]?.output ?? '', 'latin1')
    .digest('hex');
  for (const run of theirs) {
    if (run.exitCode === 0 && run.wrote === wrote) continue;
    throw new Error(`${tool.name} ended with ${run.exitCode} in v86, or wrote something else`);
  }
  const seconds = least(ours.slice(1)) / 1000;
  const theirSeconds = Math.min(...theirs.map(({ milliseconds }) => milliseconds)) / 1000;
  return benchmarkRow({
    metric: `${tool.name}: runs when warm, beside i386 in v86`,
    unit: '/s',
    better: 'higher',
    ours: 1 / seconds,
    peers: { v86: 1 / theirSeconds },
    note: `${seconds.toFixed(2)} s and ${theirSeconds.toFixed(2)} s; ${nativeNote(tool, { root, input })}`,
  });
}
