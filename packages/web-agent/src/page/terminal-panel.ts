import { containerSpecOf } from '@tapline/agent';
import { isTaplineError, splitWords, TaplineError } from '@tapline/base';
import { FitAddon } from '@xterm/addon-fit';
import { Terminal } from '@xterm/xterm';
import type { PageRuntime } from '../programs/page-runtime.ts';
import type { RunningPageAgent } from '../start-page-agent.ts';
import type { InstallRow } from './install-row.ts';
import { element, setText } from './page-elements.ts';

/** Runs commands of the page's packages in a terminal, each in a container of its own. */
export interface TerminalPanel {
  /** What can be run now. */
  offer(rows: readonly InstallRow[]): void;
}

export function openTerminalPanel(init: {
  readonly agent: RunningPageAgent;
  readonly runtime: PageRuntime;
}): TerminalPanel {
  const { agent, runtime } = init;
  const form = element('run', HTMLFormElement);
  const choice = element('install', HTMLSelectElement);
  const command = element('command', HTMLInputElement);
  const start = element('start', HTMLButtonElement);
  const end = element('end', HTMLButtonElement);
  const outcome = element('outcome', HTMLOutputElement);
  const terminal = new Terminal({ fontSize: 14, convertEol: false, scrollback: 5000 });
  const fit = new FitAddon();
  const room = element('terminal', HTMLDivElement);
  terminal.loadAddon(fit);
  terminal.open(room);
  fit.fit();
  new ResizeObserver(() => fit.fit()).observe(room);
  const encoder = new TextEncoder();
  let isRunning = false;
  let suggested = '';

  async function run(uid: string, words: readonly string[]): Promise<number> {
    const { active, name } = agent.installs().find((record) => record.uid === uid) ?? {};
    if (active === undefined || name === undefined) {
      throw new TaplineError('install_not_ready', 'no version of this package works here yet');
    }
    if (words.length === 0) throw new TaplineError('usage', 'no command is given');
    const root = await agent.images.root(active.image);
    const id = `terminal.${crypto.randomUUID()}`;
    const owner = { device: agent.device, install: name, uid };
    const spec = containerSpecOf(active, root, { id, command: words, owner });
    const process = await runtime.openTerminal(
      { ...spec, env: { TERM: 'xterm-256color', ...spec.env } },
      {
        rows: terminal.rows,
        columns: terminal.cols,
        onOutput: (bytes) => new Promise((shown) => terminal.write(bytes, shown)),
      },
    );
    const listeners = [
      terminal.onData((text) => process.write(encoder.encode(text))),
      // What is no text, such as reports of the mouse, comes as bytes.
      terminal.onBinary((text) =>
        process.write(Uint8Array.from(text, (character) => character.charCodeAt(0))),
      ),
      terminal.onResize(({ rows, cols }) => process.resize({ rows, columns: cols })),
    ];
    const onEnd = (): void => process.kill();
    end.addEventListener('click', onEnd);
    try {
      return await process.ended;
    } finally {
      end.removeEventListener('click', onEnd);
      for (const listener of listeners) listener.dispose();
    }
  }

  async function attend(): Promise<void> {
    terminal.reset();
    terminal.focus();
    setText(outcome, 'running');
    try {
      const exitCode = await run(choice.value, splitWords(command.value));
      setText(outcome, `exit code ${exitCode}`);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      setText(outcome, isTaplineError(error) ? `${text} (${error.code})` : text);
    }
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (isRunning) return;
    isRunning = true;
    start.disabled = true;
    end.disabled = false;
    void attend().finally(() => {
      isRunning = false;
      start.disabled = choice.options.length === 0;
      end.disabled = true;
    });
  });

  return {
    offer(rows) {
      const usable = rows.filter(({ suggestion, state }) => suggestion ?? state === 'Ready');
      const chosen = choice.value;
      choice.replaceChildren(
        ...usable.map(({ uid, formula }) => {
          const option = new Option(formula, uid);
          option.selected = uid === chosen;
          return option;
        }),
      );
      start.disabled = isRunning || usable.length === 0;
      // What the user has typed stays.
      if (command.value !== suggested) return;
      const { suggestion } = usable.find(({ uid }) => uid === choice.value) ?? {};
      suggested = suggestion === undefined ? '' : `${suggestion} --help`;
      command.value = suggested;
    },
  };
}
