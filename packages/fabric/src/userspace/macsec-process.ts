import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isRecord, TaplineError } from '@tapline/base';
import type { RunProgram } from '../helper/run-program.ts';

/** The MACsec device of a node whose kernel has none: a program that ends with whoever started it. */
export interface MacsecProcess {
  /** Lines as `macsecCommand` makes them for it. Throws `macsec_failed` with what it said. */
  run(line: string): Promise<void>;
  /** As `ip -j macsec show` prints it; `[]` without a device. */
  show(): Promise<string>;
  end(): Promise<void>;
}

interface Running {
  readonly child: ChildProcess;
  readonly waiting: ((answer: Readonly<Record<string, unknown>>) => void)[];
  readonly exited: Promise<void>;
}

export function createMacsecProcess(run: RunProgram): MacsecProcess {
  let running: Running | undefined;

  async function start(dev: string, parent: string): Promise<void> {
    const { index, mac } = await linkOf(parent);
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const file = extension === 'ts' ? 'macsec-program.ts' : 'macsec-program.js';
    const program = fileURLToPath(new URL(file, import.meta.url));
    const child = spawn(
      process.execPath,
      // node:ffi warns that it is experimental; docs/decisions say why it is used all the same.
      ['--disable-warning=ExperimentalWarning', program, dev, parent, String(index), mac],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const started: Running = {
      child,
      waiting: [],
      exited: new Promise((resolve) => {
        child.once('close', () => resolve());
        child.once('error', () => resolve());
      }),
    };
    running = started;
    createInterface({ input: child.stdout, crlfDelay: Infinity }).on('line', (line) => {
      const message: unknown = JSON.parse(line);
      started.waiting.shift()?.(isRecord(message) ? message : {});
    });
    child.stdin.on('error', () => {});
    void started.exited.then(() => {
      if (running === started) running = undefined;
      for (const resolve of started.waiting.splice(0)) {
        resolve({ error: { message: 'the program has ended' } });
      }
      return undefined;
    });
    checked(await next(started));
  }

  /** Asked of netlink: /sys may be that of another network namespace. */
  async function linkOf(name: string): Promise<{ readonly index: number; readonly mac: string }> {
    const { stdout } = await run(['ip', '-j', 'link', 'show', 'dev', name]);
    const parsed: unknown = stdout.trim() === '' ? [] : JSON.parse(stdout);
    const [link] = Array.isArray(parsed) ? (parsed as unknown[]) : [];
    const { ifindex, address } = isRecord(link) ? link : {};
    if (typeof ifindex === 'number' && typeof address === 'string') {
      return { index: ifindex, mac: address };
    }
    throw new TaplineError('macsec_failed', `there is no interface ${name}`);
  }

  function next({ waiting }: Running): Promise<Readonly<Record<string, unknown>>> {
    return new Promise((resolve) => waiting.push(resolve));
  }

  async function ask(line: string): Promise<Readonly<Record<string, unknown>>> {
    if (running === undefined) {
      throw new TaplineError('macsec_failed', 'the MACsec device is not there');
    }
    const answer = next(running);
    running.child.stdin?.write(`${line}\n`);
    return checked(await answer);
  }

  async function end(): Promise<void> {
    const before = running;
    before?.child.stdin?.end();
    await before?.exited;
  }

  return {
    async run(line) {
      const request: unknown = JSON.parse(line);
      const { kind, dev, parent } = isRecord(request) ? request : {};
      if (kind === 'macsec-delete') await end();
      else if (kind === 'macsec-add') {
        await end();
        await start(String(dev), String(parent));
      } else await ask(line);
    },
    async show() {
      if (running === undefined) return '[]';
      return JSON.stringify([(await ask('{"kind":"show"}'))['show']]);
    },
    end,
  };
}

function checked(answer: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { error } = answer;
  if (!isRecord(error)) return answer;
  throw new TaplineError('macsec_failed', `MACsec in user space: ${String(error['message'])}`);
}
