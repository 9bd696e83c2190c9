import { TaplineError } from '@tapline/base';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Console } from '../framework/console.ts';
import { exitCode } from '../framework/exit-code.ts';
import { type ChildProgram, startChildProgram } from './child-program.ts';

/** What demos are told with: commands as a user would type them, and what they print. */
export interface DemoShell {
  /** A heading. */
  readonly step: (text: string) => void;
  readonly say: (text: string) => void;
  /** One that goes on, once a line of its output matches. */
  readonly startTapline: (words: readonly string[], announces: RegExp) => Promise<ChildProgram>;
  /** Runs a command as the user would, its output going where ours goes. */
  readonly show: (
    words: readonly string[],
    options?: { readonly stdin?: string; readonly expect?: number },
  ) => Promise<void>;
  /** What a command prints. */
  readonly capture: (words: readonly string[]) => Promise<string>;
}

export function createDemoShell(
  console: Console,
  environment: Readonly<Record<string, string | undefined>>,
): DemoShell {
  const { clock, signal } = console;
  function startTapline(words: readonly string[], announces: RegExp): Promise<ChildProgram> {
    return startChildProgram([process.execPath, process.argv[1] ?? '', ...words], {
      announces,
      environment,
      timeoutMs: 30_000,
      clock,
      signal,
    });
  }

  /** Runs a command as the user would, its output going where ours goes. */
  async function show(
    words: readonly string[],
    { stdin, expect = exitCode.ok }: { readonly stdin?: string; readonly expect?: number } = {},
  ): Promise<void> {
    say(`$ ${stdin === undefined ? '' : 'echo … | '}tapline ${words.map(quoted).join(' ')}`);
    const child = spawn(process.execPath, [process.argv[1] ?? '', ...words], {
      env: environment,
      stdio: ['pipe', 'inherit', 'inherit'],
      signal,
    });
    child.stdin.end(stdin ?? '');
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code === expect) return;
    throw new TaplineError(
      'demo_failed',
      `tapline ${words.join(' ')} ended with ${code}; expected ${expect}`,
    );
  }

  async function capture(words: readonly string[]): Promise<string> {
    const child = spawn(process.execPath, [process.argv[1] ?? '', ...words], {
      env: environment,
      stdio: ['ignore', 'pipe', 'ignore'],
      signal,
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code === 0) return Buffer.concat(chunks).toString('utf8');
    throw new TaplineError('demo_failed', `tapline ${words.join(' ')} ended with ${code}`);
  }

  function step(text: string): void {
    console.write(`\n${console.isTerminal ? `\u001B[1m${text}\u001B[0m` : `# ${text}`}\n`);
  }

  function say(text: string): void {
    console.write(`${text}\n`);
  }

  return { step, say, startTapline, show, capture };
}

function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word}'`;
}

/** Debian packages that the demo runs, installed where this user may; one line says so. */
export function installSystemPackages(checkout: string): void {
  spawnSync(process.execPath, [join(checkout, 'tools', 'system-packages.ts'), '--for', 'demo'], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

/** The nearest folder above the running program that holds the project's tools. */
export function findCheckout(): string {
  for (let folder = dirname(realpathSync(process.argv[1] ?? '')); ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'tools', 'bottle-mirror', 'main.ts'))) return folder;
    if (folder === dirname(folder)) {
      throw new TaplineError('no_checkout', 'the demo runs from a checkout of the project only');
    }
  }
}
