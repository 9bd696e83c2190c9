import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import { runShell } from './run-shell.ts';
import type { ShellSettings } from './shell-settings.ts';

/** The page of `tapline wasm-shell`: one terminal, one guest in it at a time. */
const state = document.querySelector('#state');
const onState = (text: string): void => {
  if (state !== null && state.textContent !== text) state.textContent = text;
};

async function main(): Promise<void> {
  // Lockdown Mode takes WebAssembly away.
  if (!('WebAssembly' in globalThis)) {
    onState('This browser has no WebAssembly. In Lockdown Mode, exempt this page from it.');
    return;
  }
  const response = await fetch('run.json');
  if (!response.ok) throw new Error(`run.json answered ${response.status}`);
  const settings = (await response.json()) as ShellSettings;
  document.title = settings.title;
  const title = document.querySelector('#title');
  if (title !== null) title.textContent = settings.title;
  const room = document.querySelector<HTMLElement>('#terminal');
  if (room === null) throw new Error('the page has no place for a terminal');
  const terminal = new Terminal({ fontSize: 14, convertEol: false, scrollback: 5000 });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(room);
  fit.fit();
  terminal.focus();
  new ResizeObserver(() => fit.fit()).observe(room);
  const again = document.querySelector<HTMLButtonElement>('#again');
  for (;;) {
    const over = new AbortController();
    const pressed = Promise.withResolvers<void>();
    again?.addEventListener('click', () => pressed.resolve(), { once: true });
    const running = runShell(terminal, { settings, onState, signal: over.signal });
    await pressed.promise;
    over.abort();
    await running;
    terminal.reset();
    terminal.focus();
  }
}

main().catch((error: unknown) => {
  onState(error instanceof Error ? error.message : String(error));
});
