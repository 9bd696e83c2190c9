import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodeCache } from '@tapline/a64';
import { openAptRoot } from '../../tools/debian/apt-root.ts';
import { unpackDebs } from '../../tools/debian/unpack-debs.ts';
import { benchmarkRow, type BenchmarkRow } from '../result.ts';
import { browserRows } from './browser-rows.ts';
import { memoryRow } from './memory-row.ts';
import { inRoot, least, nativeNote, type Run, runThere, runTool } from './run-tool.ts';
import { bcProgram, type Tool, toolInput, toolPackages, tools } from './tool-list.ts';
import { v86Rows } from './v86-rows.ts';

/** All but the first count. */
const rounds = 4;
const forks = 100;
/** What short programs come to is translated over some of them. */
const forkRounds = 12;

/** Unmodified programs of Debian for arm64, from start to end, and the same ones under qemu. */
export async function toolRows(
  qemu: string,
  folder: string,
  only: readonly string[],
): Promise<readonly BenchmarkRow[]> {
  const rows: BenchmarkRow[] = [];
  const root = await unpackTools(folder);
  const ratios: number[] = [];
  for (const tool of tools) {
    if (only.length > 0 && !only.includes(tool.name) && !only.includes('tools')) continue;
    const row = await toolRow(tool, { qemu, root });
    rows.push(row);
    ratios.push(row.ratio ?? 0);
  }
  if (only.length === 0 || only.includes('tools')) {
    const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
    rows.push(
      benchmarkRow({
        metric: 'all tools: geometric mean against qemu',
        unit: '×',
        better: 'higher',
        ours: mean,
        peers: { qemu: 1 },
        goal: 1,
        goalOn: 'ratio',
      }),
    );
  }
  if (only.length === 0 || only.includes('webkit') || only.includes('chromium')) {
    rows.push(...(await browserRows(qemu, { root, folder, only })));
  }
  if (only.length === 0 || only.includes('v86')) rows.push(...(await v86Rows(folder, root)));
  if (only.length === 0 || only.includes('memory')) rows.push(await memoryRow(root));
  if (only.length === 0 || only.includes('start')) rows.push(...(await moreStarts(qemu, root)));
  return rows;
}

async function toolRow(
  tool: Tool,
  { qemu, root }: { readonly qemu: string; readonly root: string },
): Promise<BenchmarkRow> {
  const input = tool.input === undefined ? undefined : toolInput(tool.input);
  const codeCache = new CodeCache();
  const ours: Run[] = [];
  const theirs: Run[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await runTool(tool.argv, { root, input, codeCache }));
    theirs.push(runThere([qemu, '-L', root, ...inRoot(tool.argv, root)], input));
  }
  const [first, theirFirst] = [ours[0], theirs[0]];
  if (first === undefined || theirFirst === undefined || first.output !== theirFirst.output) {
    throw new Error(`${tool.name} printed something else than under qemu`);
  }
  return benchmarkRow({
    metric: `${tool.name}: runs when warm`,
    unit: '/s',
    better: 'higher',
    ours: 1000 / least(ours.slice(1)),
    peers: { qemu: 1000 / least(theirs.slice(1)) },
    note: `${nativeNote(tool, { root, input })}; first run ${first.milliseconds.toFixed(0)} ms, under qemu ${theirFirst.milliseconds.toFixed(0)} ms`,
  });
}

async function moreStarts(qemu: string, root: string): Promise<readonly BenchmarkRow[]> {
  const rows: BenchmarkRow[] = [];
  for (const { metric, argv, goal } of [
    { metric: 'bash -c true: start when warm', argv: ['/bin/bash', '-c', 'true'], goal: 60 },
    {
      metric: 'python3 -c 0: start when warm',
      argv: ['/usr/bin/python3.11', '-c', '0'],
      goal: 400,
    },
  ]) {
    const codeCache = new CodeCache();
    const ours: Run[] = [];
    const theirs: Run[] = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(await runTool(argv, { root, input: undefined, codeCache }));
      theirs.push(runThere([qemu, '-L', root, ...inRoot(argv, root)], undefined));
    }
    rows.push(
      benchmarkRow({
        metric,
        unit: 'ms',
        better: 'lower',
        ours: least(ours.slice(1)),
        peers: { qemu: least(theirs) },
        goal,
        goalOn: 'ours',
        note: `the first start ${ours[0]?.milliseconds.toFixed(0)} ms`,
      }),
    );
  }
  const loop = `i=0; while [ $i -lt ${forks} ]; do /bin/true; i=$((i + 1)); done`;
  const codeCache = new CodeCache();
  const runs: Run[] = [];
  for (let round = 0; round < forkRounds; round++) {
    const argv = ['/bin/dash', '-c', loop];
    runs.push(await runTool(argv, { root, input: undefined, codeCache }));
  }
  rows.push(
    benchmarkRow({
      metric: 'fork, execute and wait in a loop of dash',
      unit: '/s',
      better: 'higher',
      ours: (forks * 1000) / least(runs),
      peers: {},
      goal: 300,
      goalOn: 'ours',
    }),
  );
  return rows;
}

async function unpackTools(folder: string): Promise<string> {
  const root = join(folder, 'tools');
  for (const name of ['', 'dev', 'proc', 'tmp', 'work']) mkdirSync(join(root, name));
  const apt = await openAptRoot({ suite: 'bookworm', architecture: 'arm64' });
  await unpackDebs(await apt.download(await apt.show(toolPackages)), root);
  writeFileSync(join(root, 'work/pi'), bcProgram);
  return root;
}
