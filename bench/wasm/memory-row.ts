import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { haveProgram } from '@tapline/testing';
import { benchmarkRow, type BenchmarkRow } from '../result.ts';

const megabyte = 1024 * 1024;
const documentBytes = 10 * megabyte;
/** Of native jq's memory, and what may come to it. */
const factor = 2.5;
const allowance = 32;
const lookMs = 5;
/** What `./tapline run-wasm` is started with. */
const leanNode = { flags: ['--max-semi-space-size=4'], environment: { MALLOC_ARENA_MAX: '1' } };

/** `jq .` of a document of 10 MB: the most that the process had resident, with Node and all. */
export async function memoryRow(root: string): Promise<BenchmarkRow> {
  const rows = Array.from({ length: 200_000 }, (_, id) => ({ id, name: `name ${id}`, v: id / 7 }));
  const text = JSON.stringify(rows).slice(0, documentBytes);
  writeFileSync(join(root, 'work/large.json'), `${text.slice(0, text.lastIndexOf('},'))}}]`);
  const runner = join(import.meta.dirname, 'run-guest.ts');
  const ours = await peakMegabytes(
    [process.execPath, ...leanNode.flags, runner, root, 'jq', '.', '/work/large.json'],
    leanNode.environment,
  );
  const native = haveProgram('jq')
    ? await peakMegabytes(['jq', '.', join(root, 'work/large.json')])
    : undefined;
  return benchmarkRow({
    metric: 'jq . of 10 MB: resident at most',
    unit: 'MB',
    better: 'lower',
    ours,
    peers: native === undefined ? {} : { native },
    ...(native !== undefined && { goal: factor * native + allowance, goalOn: 'ours' as const }),
    note: `at most ${factor} times native and ${allowance} MB; with a young generation of 4 MB and one arena, as \`./tapline run-wasm\` has them`,
  });
}

/** What Linux says of the process while it is there; it only grows, so the last look is near the end. */
async function peakMegabytes(
  [program = '', ...words]: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<number> {
  const child = spawn(program, words, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...environment },
  });
  const ended = once(child, 'exit');
  let peak = 0;
  const look = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      peak = Math.max(peak, Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0));
    } catch {
      // It has just ended.
    }
  }, lookMs);
  const [code] = await ended;
  clearInterval(look);
  if (code !== 0) throw new Error(`${program} ${words.join(' ')} ended with ${code}`);
  return peak / 1024;
}
