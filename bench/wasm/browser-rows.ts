import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { directoryLayer } from '@tapline/runtimes';
import { folderContent } from '../../packages/cli/src/wasm/folder-content.ts';
import { startShellServer } from '../../packages/cli/src/wasm/shell-server.ts';
import {
  type BrowserKind,
  browsers,
  type OpenedPage,
} from '../../tests/userland/browsers/open-page.ts';
import {
  type PageResult,
  type PageRun,
  runInPage,
} from '../../tests/userland/browsers/run-in-page.ts';
import { buildPage, bundleForPage } from '../../tools/build-page.ts';
import { benchmarkRow, type BenchmarkRow } from '../result.ts';
import type { ToolAnswer, ToolAsked } from './page/tool-worker.ts';
import { inRoot, least, nativeNote, runThere } from './run-tool.ts';
import { type Tool, toolInput, tools } from './tool-list.ts';

/** In pages; all but the first count. */
const rounds = 5;
const roundsThere = 3;
const visits = 4;
const visited: readonly string[] = ['/bin/bash', '-c', 'true'];
/** Of qemu's speed, asked of WebKit. */
const webkitGoal = 0.6;

/** The same tools in pages of browsers, beside qemu, and what later visits of a page take to start. */
export async function browserRows(
  qemu: string,
  {
    root,
    folder,
    only,
  }: { readonly root: string; readonly folder: string; readonly only: readonly string[] },
): Promise<readonly BenchmarkRow[]> {
  const rows: BenchmarkRow[] = [];
  for (const browser of browsers) {
    const isAsked = only.length === 0 || only.includes(browser.name.toLowerCase());
    if (!isAsked || browser.missing !== undefined) continue;
    rows.push(...(await toolsIn(browser, { qemu, root, folder })));
    rows.push(await visitsIn(browser, { root, folder }));
  }
  return rows;
}

async function toolsIn(
  browser: BrowserKind,
  { qemu, root, folder }: { readonly qemu: string; readonly root: string; readonly folder: string },
): Promise<readonly BenchmarkRow[]> {
  const place = join(folder, `tools-${browser.name}`);
  await mkdir(place);
  await writeFile(join(place, 'index.html'), '<!doctype html>');
  const worker = join(import.meta.dirname, 'page/tool-worker.ts');
  await bundleForPage(worker, join(place, 'machine-worker.js'));
  await using server = await serve(place, root);
  await using page = await browser.open(server.url);
  const rows: BenchmarkRow[] = [];
  for (const tool of tools) rows.push(await toolIn(page, { tool, browser, qemu, root }));
  const logs = rows.map(({ ratio = 0 }) => Math.log(ratio));
  const mean = Math.exp(logs.reduce((sum, log) => sum + log, 0) / logs.length);
  const whole = benchmarkRow({
    metric: `all tools: geometric mean against qemu, in ${browser.name}`,
    unit: '×',
    better: 'higher',
    ours: mean,
    peers: { qemu: 1 },
    ...(browser.name === 'WebKit' && { goal: webkitGoal, goalOn: 'ratio' as const }),
  });
  return [...rows, whole];
}

async function toolIn(
  page: OpenedPage,
  how: {
    readonly tool: Tool;
    readonly browser: BrowserKind;
    readonly qemu: string;
    readonly root: string;
  },
): Promise<BenchmarkRow> {
  const { tool, browser, qemu, root } = how;
  const asked: ToolAsked = { name: tool.name, rounds, folder: 'folder/', machines: 8 };
  const answer = await page.evaluate<ToolAnswer & { readonly error?: string }>(`(async () => {
    const here = new URL('.', location.href).href;
    const worker = new Worker(here + 'machine-worker.js', { type: 'module' });
    const asked = ${JSON.stringify(asked)};
    try {
      return await new Promise((resolve, reject) => {
        worker.addEventListener('message', ({ data }) => resolve(data));
        worker.addEventListener('error', ({ message }) => reject(new Error(message)));
        worker.postMessage({ ...asked, folder: here + asked.folder });
      });
    } finally { worker.terminate(); }
  })()`);
  if (answer.error !== undefined) throw new Error(`${browser.name}: ${answer.error}`);
  const input = tool.input === undefined ? undefined : toolInput(tool.input);
  const argv = [qemu, '-L', root, ...inRoot(tool.argv, root)];
  const theirs = Array.from({ length: roundsThere }, () => runThere(argv, input));
  const wrote = createHash('sha256')
    .update(theirs[0]?.output ?? '', 'latin1')
    .digest('hex');
  if (answer.wrote !== wrote)
    throw new Error(`${tool.name} wrote something else in ${browser.name}`);
  const [first = 0, ...others] = answer.milliseconds;
  return benchmarkRow({
    metric: `${tool.name}: runs when warm in ${browser.name}`,
    unit: '/s',
    better: 'higher',
    ours: 1000 / Math.min(...others),
    peers: { qemu: 1000 / least(theirs) },
    note: `${nativeNote(tool, { root, input })}; first run ${first.toFixed(0)} ms`,
  });
}

/** `bash -c true` from the start of its worker to its end, with what earlier visits have kept. */
async function visitsIn(
  browser: BrowserKind,
  { root, folder }: { readonly root: string; readonly folder: string },
): Promise<BenchmarkRow> {
  const place = join(folder, `page-${browser.name}`);
  await buildPage(place);
  await using server = await serve(place, root);
  await using page = await browser.open(server.url);
  return await visitRow(page, { argv: visited, browser });
}

async function visitRow(
  page: OpenedPage,
  { argv, browser }: { readonly argv: readonly string[]; readonly browser: BrowserKind },
): Promise<BenchmarkRow> {
  const run: PageRun = {
    source: { kind: 'folder', url: 'folder/' },
    argv,
    env: ['PATH=/usr/bin:/bin', 'LC_ALL=C.UTF-8'],
    folder: '/',
    limits: { memory: 512 * 1024 * 1024, machines: 8, fuel: 1e12, hotAfter: 8000 },
    stdin: '',
  };
  // Once before anything counts: the worker's own code is then compiled, and the files are listed.
  const visit = async (code?: { readonly key: string }): Promise<number> => {
    const expression = runInPage({ ...run, ...(code !== undefined && { code }) });
    const { milliseconds, exitCode } = await page.evaluate<PageResult & { milliseconds: number }>(
      `(async () => { const from = performance.now(); const result = await ${expression}; return { ...result, milliseconds: performance.now() - from }; })()`,
    );
    if (exitCode !== 0) throw new Error(`${argv[0]} ended with ${exitCode}`);
    return milliseconds;
  };
  await visit();
  const without: number[] = [];
  for (let at = 0; at < visits; at++) without.push(await visit());
  const key = { key: argv.join(' ') };
  const first = await visit(key);
  const later: number[] = [];
  for (let at = 0; at < visits; at++) later.push(await visit(key));
  return benchmarkRow({
    metric: `bash -c true in ${browser.name}: a later visit, with its worker`,
    unit: 'ms',
    better: 'lower',
    ours: Math.min(...later),
    peers: { 'nothing kept': Math.min(...without) },
    note: `the first ${first.toFixed(0)} ms, with translating and keeping what it came to`,
  });
}

async function serve(
  page: string,
  root: string,
): Promise<Awaited<ReturnType<typeof startShellServer>>> {
  return await startShellServer({
    listen: { host: '127.0.0.1', port: 0 },
    token: 'token',
    page,
    settings: {
      title: 'a benchmark',
      source: { kind: 'folder', url: 'folder/' },
      argv: ['/bin/true'],
      folder: '/',
      memory: 64 * 1024 * 1024,
      code: { key: 'of the page itself' },
    },
    content: folderContent(directoryLayer(root)),
    onError: (message) => process.stderr.write(`${message}\n`),
  });
}
