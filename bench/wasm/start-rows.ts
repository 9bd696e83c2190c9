import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodeCache, decodeArtefact, encodeArtefact } from '@tapline/a64';
import { openAptRoot } from '../../tools/debian/apt-root.ts';
import { unpackDebs } from '../../tools/debian/unpack-debs.ts';
import { benchmarkRow, type BenchmarkRow } from '../result.ts';
import { openSystem, runHere } from './run-here.ts';

const rounds = 15;

/** From call to exit of Debian's busybox: at first, with what earlier runs translated, and stored. */
export async function startRows(qemu: string, folder: string): Promise<readonly BenchmarkRow[]> {
  const program = await fetchBusybox(folder);
  const words = ['true'];
  const codeCache = new CodeCache();
  const first = await milliseconds(() => runHere(program, words, codeCache));
  const warm = await quickest(() => runHere(program, words, codeCache));
  const inside = await quickest(openSystem(program, words, codeCache));
  const artefact = encodeArtefact(codeCache.list());
  const stored = await quickest(async () => {
    const loaded = new CodeCache();
    for (const each of decodeArtefact(artefact) ?? []) loaded.add(each);
    return await runHere(program, words, loaded);
  });
  const theirs = await quickest(() => execFileSync(qemu, [program, ...words]));
  const row = (metric: string, ours: number, more: Partial<BenchmarkRow>): BenchmarkRow =>
    benchmarkRow({ metric, unit: 'ms', better: 'lower', ours, peers: { qemu: theirs }, ...more });
  return [
    row('busybox true: start when warm', warm, {
      goal: 10,
      goalOn: 'ours',
      note: `the first start ${first.toFixed(0)} ms, with translating all that it came to; qemu with its process`,
    }),
    row('busybox true: start in a system that runs', inside, {
      note: 'as the next command of a container, whose memory is there',
    }),
    row('busybox true: start from a stored artefact', stored, {
      note: `${(artefact.length / 1024).toFixed(0)} KiB, decoded and compiled each time`,
    }),
  ];
}

async function fetchBusybox(folder: string): Promise<string> {
  const unpacked = join(folder, 'busybox');
  mkdirSync(unpacked);
  const root = await openAptRoot({ suite: 'bookworm', architecture: 'arm64' });
  await unpackDebs(await root.download(await root.show(['busybox-static'])), unpacked);
  const program = join(unpacked, 'bin/busybox');
  // Once, so that the file is in memory for both.
  readFileSync(program);
  return program;
}

async function milliseconds(work: () => unknown): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

async function quickest(work: () => unknown): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < rounds; round++) least = Math.min(least, await milliseconds(work));
  return least;
}
