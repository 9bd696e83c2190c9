import { formatBytes } from '@tapline/base';
import type { CopyProgress } from '@tapline/registry';
import type { Console } from '../framework/console.ts';
import { createProgressLine } from '../output/progress-line.ts';

/** Shows how much of an image is copied: a bar on a terminal, a line for each blob elsewhere. */
export function createCopyProgress(console: Console): {
  readonly show: (progress: CopyProgress) => void;
  readonly end: () => void;
} {
  const line = createProgressLine(console);
  let blobs = -1;
  return {
    show({ doneBytes, totalBytes, doneBlobs, totalBlobs }) {
      if (!console.isTerminal && doneBlobs === blobs) return;
      blobs = doneBlobs;
      const text = `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`;
      line.show({ text, done: doneBlobs, of: totalBlobs });
    },
    end: () => line.clear(),
  };
}
