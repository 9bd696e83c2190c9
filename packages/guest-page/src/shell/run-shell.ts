import { isTaplineError, systemClock } from '@tapline/base';
import type { Terminal } from '@xterm/xterm';
import { startGuest } from '../machine/start-guest.ts';
import { machinesOf } from './machines-of.ts';
import type { ShellSettings } from './shell-settings.ts';

const bold = '\u{1b}[1m';
const red = '\u{1b}[31m';
const plain = '\u{1b}[0m';

/** Runs the guest once in the terminal, until it ends or is ended; says how. */
export async function runShell(
  terminal: Terminal,
  options: {
    readonly settings: ShellSettings;
    readonly onState: (text: string) => void;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { settings, onState, signal } = options;
  const { argv, folder, memory, code: kept } = settings;
  const here = new URL('.', location.href).href;
  const source =
    settings.source.kind === 'image'
      ? { ...settings.source, registry: new URL(settings.source.registry, here).href }
      : { ...settings.source, url: new URL(settings.source.url, here).href };
  const { served } = kept;
  onState('fetching');
  const encoder = new TextEncoder();
  const guest = startGuest({
    worker: new Worker(new URL('machine-worker.js', here), { type: 'module' }),
    run: {
      source,
      argv,
      env: ['TERM=xterm-256color'],
      folder,
      terminal: { rows: terminal.rows, columns: terminal.cols },
      code: {
        ...kept,
        ...(served !== undefined && { served: new URL(served, here).href }),
      },
      limits: { memory, machines: machinesOf(navigator), fuel: Infinity, hotAfter: 8000 },
    },
    onOutput: (_, bytes) => {
      onState('running');
      return new Promise((shown) => terminal.write(bytes, shown));
    },
    onProgress: (fetched, of) => onState(`fetching ${Math.round((fetched / of) * 100)} %`),
    clock: systemClock,
  });
  const onAbort = (): void => guest.end();
  signal.addEventListener('abort', onAbort, { once: true });
  const listeners = [
    terminal.onData((text) => guest.write(encoder.encode(text))),
    // What is no text, such as reports of the mouse, comes as bytes.
    terminal.onBinary((text) =>
      guest.write(Uint8Array.from(text, (character) => character.charCodeAt(0))),
    ),
    terminal.onResize(({ rows, cols }) => guest.resize({ rows, columns: cols })),
  ];
  try {
    const { exitCode } = await guest.ended;
    terminal.write(`\r\n${bold}[ended with exit code ${exitCode}]${plain}\r\n`);
    onState(`ended with exit code ${exitCode}`);
  } catch (error) {
    if (signal.aborted) return;
    const code = isTaplineError(error) ? ` (${error.code})` : '';
    const text = error instanceof Error ? error.message : String(error);
    terminal.write(`\r\n${red}${text}${code}${plain}\r\n`);
    onState('failed');
  } finally {
    signal.removeEventListener('abort', onAbort);
    for (const listener of listeners) listener.dispose();
    guest.end();
  }
}
