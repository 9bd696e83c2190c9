import { open } from 'node:fs/promises';

/**
 * Makes renames into a directory survive a power failure. Whoever asks while a sync is on its way
 * shares the next one.
 */
export class DirectorySync {
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();

  sync(directory: string): Promise<void> {
    const running = this.#running.get(directory);
    if (running === undefined) return this.#start(directory);
    const next = this.#next.get(directory);
    if (next !== undefined) return next;
    const shared = running
      .catch(() => undefined)
      .then(() => {
        this.#next.delete(directory);
        return this.#start(directory);
      });
    this.#next.set(directory, shared);
    return shared;
  }

  #start(directory: string): Promise<void> {
    const done = syncDirectory(directory).finally(() => {
      if (this.#running.get(directory) === done) this.#running.delete(directory);
    });
    this.#running.set(directory, done);
    return done;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, 'r');
  await handle.sync();
}
