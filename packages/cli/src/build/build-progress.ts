import { formatBytes } from '@tapline/base';
import type { BuildEvent } from '@tapline/builder';
import type { Console } from '../framework/console.ts';
import { createProgressLine } from '../output/progress-line.ts';

/** Shows what a build does: a bar over all downloads on a terminal, a line a step elsewhere. */
export function createBuildProgress(console: Console): {
  readonly show: (event: BuildEvent) => void;
  readonly end: () => void;
} {
  const line = createProgressLine(console);
  const received = new Map<string, number>();
  let expected = 0;
  const show = (text: string): void => {
    const done = [...received.values()].reduce((sum, bytes) => sum + bytes, 0);
    line.show({ text, done: Math.min(done, expected), of: console.isTerminal ? expected : 0 });
  };
  return {
    show(event) {
      switch (event.kind) {
        case 'planned':
          expected += event.downloadBytes;
          show(
            `${event.tag}: ${event.formulae.join(', ')} (${formatBytes(event.downloadBytes)} to fetch)`,
          );
          break;
        case 'fetching':
          received.set(event.formula, event.receivedBytes);
          if (console.isTerminal) show(`fetching ${event.formula}`);
          break;
        case 'fetched':
          show(`fetched ${event.formula}, ${formatBytes(event.size)}`);
          break;
        case 'layer':
          show(`layer ${event.formula} ${event.source}, ${formatBytes(event.size)}`);
          break;
        case 'not-relocated':
          line.clear();
          console.note(`${event.formula}: ${event.path} is left as it was: ${event.reason}\n`);
          break;
        case 'image':
          show(`image for ${event.tag} ${event.digest}`);
          break;
      }
    },
    end: () => line.clear(),
  };
}
