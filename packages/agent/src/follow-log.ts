import { open } from 'node:fs/promises';
import type { Clock } from '@tapline/base';

export interface FollowOptions {
  readonly follow: boolean;
  /** Only that many of the lines that are there; all where absent. */
  readonly tailLines?: number;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

const pollMs = 200;
const blockBytes = 65_536;

/** What is in a log file, and with `follow` what comes. A log that was cut goes on from its start. */
export async function* followLog(
  path: string | undefined,
  options: FollowOptions,
): AsyncGenerator<Uint8Array, void> {
  if (path === undefined) return;
  const { follow, tailLines, signal, clock } = options;
  await using file = await open(path, 'r');
  let offset = tailLines === undefined ? 0 : await tailOffset(file, tailLines);
  for (;;) {
    const { size } = await file.stat();
    if (size < offset) offset = 0;
    while (offset < size && !signal.aborted) {
      const { bytesRead, buffer } = await file.read(
        Buffer.alloc(Math.min(blockBytes, size - offset)),
        { position: offset },
      );
      if (bytesRead === 0) break;
      offset += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
    if (!follow || signal.aborted) return;
    // A file's own events differ between systems and miss writes on some; a look is cheap.
    await clock.sleep(pollMs, { signal });
  }
}

/** Where the last `lines` lines begin. */
async function tailOffset(file: Awaited<ReturnType<typeof open>>, lines: number): Promise<number> {
  const { size } = await file.stat();
  if (lines === 0) return size;
  const newline = 0x0a;
  let left = lines;
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - blockBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), { position: start });
    for (let at = bytesRead - 1; at >= 0; at -= 1) {
      // The newline that ends the last line begins none.
      if (buffer[at] !== newline || start + at === size - 1) continue;
      left -= 1;
      if (left === 0) return start + at + 1;
    }
    end = start;
  }
  return 0;
}
