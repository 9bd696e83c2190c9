import type { HashedFile } from './hashed-file.ts';

/** A write of several chunks costs one trip to another thread. */
const batchBytes = 512 * 1024;

/**
 * Appends a body to a file and answers the file's size. `assertRoom` is asked before each write. What
 * came before the body broke off is in the file.
 */
export async function appendBody(
  file: HashedFile,
  body: AsyncIterable<Uint8Array>,
  assertRoom: (bytes: number) => Promise<void>,
): Promise<number> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  async function flush(): Promise<void> {
    if (bytes === 0) return;
    const batch = waiting;
    const size = bytes;
    waiting = [];
    bytes = 0;
    await assertRoom(size);
    await file.write(batch);
  }
  let broken: unknown;
  try {
    for await (const chunk of body) {
      waiting.push(chunk);
      bytes += chunk.length;
      if (bytes >= batchBytes) await flush();
    }
  } catch (error) {
    broken = error ?? new Error('the body broke off');
  }
  await flush();
  if (broken !== undefined) throw broken;
  return file.size;
}
