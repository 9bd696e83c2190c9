import type { Console } from '../framework/console.ts';

export interface Progress {
  readonly text: string;
  readonly done: number;
  /** 0 where the end is not known. */
  readonly of: number;
}

/** Shows how long work goes: one line that changes on a terminal, a line a change elsewhere. */
export interface ProgressLine {
  show(progress: Progress): void;
  clear(): void;
}

const barWidth = 24;

export function createProgressLine(console: Console): ProgressLine {
  let shown = '';
  return {
    show(progress) {
      const line = formatProgress(progress, console);
      if (line === shown) return;
      shown = line;
      console.note(console.isTerminal ? `\r\u001B[2K${line}` : `${line}\n`);
    },
    clear() {
      if (console.isTerminal && shown !== '') console.note('\r\u001B[2K');
      shown = '';
    },
  };
}

function formatProgress(
  { text, done, of }: Progress,
  console: Pick<Console, 'isTerminal' | 'columns'>,
): string {
  if (!console.isTerminal) return of === 0 ? text : `${text} (${done}/${of})`;
  const filled = of === 0 ? 0 : Math.round((done / of) * barWidth);
  const bar =
    of === 0 ? '' : ` ${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} ${done}/${of}`;
  return `${text.slice(0, Math.max(10, console.columns - bar.length - 1))}${bar}`;
}
