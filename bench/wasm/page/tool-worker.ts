import { CodeCache } from '@tapline/a64';
import { concatBytes, createSecureRng } from '@tapline/base';
import { openGuestSystem } from '@tapline/userland';
import { readSynchronously } from '../../../packages/guest-page/src/image/read-synchronously.ts';
import { servedFolder } from '../../../packages/guest-page/src/image/served-folder.ts';
import { createPageClock } from '../../../packages/guest-page/src/machine/page-clock.ts';
import { toolInput, tools } from '../tool-list.ts';

/** What a worker of a page is asked, and answers. */
export interface ToolAsked {
  /** Of a tool of the list. */
  readonly name: string;
  readonly rounds: number;
  /** Of the served root; ends with a slash. */
  readonly folder: string;
  /** WebAssembly memories at once. */
  readonly machines: number;
}

export interface ToolAnswer {
  readonly milliseconds: readonly number[];
  /** SHA-256 of what it wrote at last, in lower-case hex. */
  readonly wrote: string;
}

interface WorkerScope {
  addEventListener(type: 'message', listener: (event: { readonly data: ToolAsked }) => void): void;
  postMessage(message: ToolAnswer | { readonly error: string }): void;
}

const scope = globalThis as unknown as WorkerScope;

/** Runs a tool some times in one system, as a shell of a page does. */
async function measure({ name, rounds, folder, machines }: ToolAsked): Promise<ToolAnswer> {
  const tool = tools.find((each) => each.name === name);
  if (tool === undefined) throw new Error(`there is no tool ${name}`);
  const input = tool.input === undefined ? undefined : toolInput(tool.input);
  const system = openGuestSystem({
    files: servedFolder((path) => readSynchronously(folder + path)),
    clock: createPageClock(),
    rng: createSecureRng(),
    memoryLimit: 512 * 1024 * 1024,
    machines,
    hotAfter: 8000,
    codeCache: new CodeCache(),
  });
  const milliseconds: number[] = [];
  let parts: Uint8Array[] = [];
  for (let round = 0; round < rounds; round++) {
    parts = [];
    const from = performance.now();
    const program = system.start({
      path: tool.argv[0] ?? '',
      argv: tool.argv,
      env: ['PATH=/usr/bin:/bin', 'LC_ALL=C.UTF-8', 'HOME=/tmp'],
      folder: '/',
      stdin: (async function* () {
        if (input !== undefined) yield input;
      })(),
      stdout: (some) => void parts.push(some),
    });
    const exitCode = await system.run(program, { fuel: 1e12 });
    milliseconds.push(performance.now() - from);
    if (exitCode !== 0) throw new Error(`${name} ended with ${exitCode}`);
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', concatBytes(parts)));
  const wrote = Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { milliseconds, wrote };
}

scope.addEventListener('message', ({ data }) => {
  measure(data).then(
    (answer) => scope.postMessage(answer),
    (error: unknown) => scope.postMessage({ error: String(error) }),
  );
});
