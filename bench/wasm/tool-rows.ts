import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { CodeCache } from '@tapline/a64';
import { seededRng, systemClock } from '@tapline/base';
import { directoryLayer } from '@tapline/runtimes';
import { haveProgram } from '@tapline/testing';
import { runProgram } from '@tapline/userland';
import { openAptRoot } from '../../tools/debian/apt-root.ts';
import { unpackDebs } from '../../tools/debian/unpack-debs.ts';
import { benchmarkRow, type BenchmarkRow } from '../result.ts';
import { memoryRow } from './memory-row.ts';
import { bcProgram, type Tool, toolInput, toolPackages, tools } from './tool-list.ts';

const env = ['PATH=/usr/bin:/bin', 'LC_ALL=C.UTF-8', 'HOME=/tmp'];
/** All but the first count. */
const rounds = 4;
const forks = 100;

/** Unmodified programs of Debian for arm64, from start to end, and the same ones under qemu. */
export async function toolRows(
  qemu: string,
  folder: string,
  only: readonly string[],
): Promise<readonly BenchmarkRow[]> {
  const root = await unpackTools(folder);
  const rows: BenchmarkRow[] = [];
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
        note: 'v86: its package has neither a BIOS nor a kernel; not measured',
      }),
    );
  }
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
    ours.push(await runHere(tool.argv, { root, input, codeCache }));
    theirs.push(runThere([qemu, '-L', root, ...inRoot(tool.argv, root)], input));
  }
  const [first, theirFirst] = [ours[0], theirs[0]];
  if (first === undefined || theirFirst === undefined || first.output !== theirFirst.output) {
    throw new Error(`${tool.name} printed something else than under qemu`);
  }
  const [path = ''] = tool.argv;
  const native = haveProgram(basename(path))
    ? `native ${least([0, 1, 2].map(() => runThere(natively(tool.argv, root), input))).toFixed(0)} ms`
    : 'no native one here';
  return benchmarkRow({
    metric: `${tool.name}: runs when warm`,
    unit: '/s',
    better: 'higher',
    ours: 1000 / least(ours.slice(1)),
    peers: { qemu: 1000 / least(theirs.slice(1)) },
    note: `${native}; first run ${first.milliseconds.toFixed(0)} ms, under qemu ${theirFirst.milliseconds.toFixed(0)} ms`,
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
      ours.push(await runHere(argv, { root, input: undefined, codeCache }));
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
  for (let round = 0; round < rounds; round++) {
    const argv = ['/bin/dash', '-c', loop];
    runs.push(await runHere(argv, { root, input: undefined, codeCache }));
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

interface Run {
  readonly milliseconds: number;
  readonly output: string;
}

function least(runs: readonly Run[]): number {
  return Math.min(...runs.map(({ milliseconds }) => milliseconds));
}

async function runHere(
  argv: readonly string[],
  how: {
    readonly root: string;
    readonly input: Uint8Array<ArrayBuffer> | undefined;
    readonly codeCache: CodeCache;
  },
): Promise<Run> {
  const { root, input, codeCache } = how;
  const parts: Uint8Array[] = [];
  const from = performance.now();
  const { exitCode } = await runProgram({
    files: directoryLayer(root),
    path: argv[0] ?? '',
    argv,
    env,
    folder: '/',
    stdin: (async function* () {
      if (input !== undefined) yield input;
    })(),
    stdout: (some) => void parts.push(some),
    stderr: (some) => void process.stderr.write(some),
    clock: systemClock,
    rng: seededRng(1),
    memoryLimit: 512 * 1024 * 1024,
    hotAfter: 8000,
    fuel: 1e12,
    codeCache,
  });
  const milliseconds = performance.now() - from;
  if (exitCode !== 0) throw new Error(`${argv[0]} ended with ${exitCode}`);
  return { milliseconds, output: Buffer.concat(parts).toString('latin1') };
}

function runThere(argv: readonly string[], input: Uint8Array | undefined): Run {
  const [program = '', ...words] = argv;
  const from = performance.now();
  const { status, stdout, stderr } = spawnSync(program, words, {
    encoding: 'latin1',
    input: input ?? '',
    env: { LC_ALL: 'C.UTF-8', HOME: '/tmp', PATH: '/usr/bin:/bin' },
    maxBuffer: 64 * 1024 * 1024,
  });
  const milliseconds = performance.now() - from;
  if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${status}: ${stderr}`);
  return { milliseconds, output: stdout };
}

/** The program, and files that it is to read, as this machine names them. */
function inRoot(argv: readonly string[], root: string): readonly string[] {
  return argv.map((word, at) => (at === 0 || word.startsWith('/work/') ? root + word : word));
}

/** The program of this machine, with the same files. */
function natively(argv: readonly string[], root: string): readonly string[] {
  const [path = '', ...words] = inRoot(argv, root);
  return [basename(path), ...words];
}

async function unpackTools(folder: string): Promise<string> {
  const root = join(folder, 'tools');
  for (const name of ['', 'dev', 'proc', 'tmp', 'work']) mkdirSync(join(root, name));
  const apt = await openAptRoot({ suite: 'bookworm', architecture: 'arm64' });
  await unpackDebs(await apt.download(await apt.show(toolPackages)), root);
  writeFileSync(join(root, 'work/pi'), bcProgram);
  return root;
}
