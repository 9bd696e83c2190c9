/* oxlint-disable typescript/no-non-null-assertion -- slots are in range */
import { pieceBytes } from '../compression.ts';

/** While one is written another is filled, and a third waits. */
const slots = 3;
/** More than a compressed piece ever has. */
const slotBytes = pieceBytes + pieceBytes / 64;
const stopped = slots;

/** Memory in which a thread hands bytes to the one that started it. */
export interface ChunkMemory {
  readonly bytes: SharedArrayBuffer;
  /** For each slot whether it is full, and behind them whether to stop. */
  readonly states: SharedArrayBuffer;
}

export interface Chunk {
  readonly slot: number;
  readonly length: number;
}

export function createChunkMemory(): ChunkMemory {
  return {
    bytes: new SharedArrayBuffer(slots * slotBytes),
    states: new SharedArrayBuffer((slots + 1) * 4),
  };
}

/** Why a sender ended before its work was done. */
export class ChannelStopped extends Error {}

/** The end that computes: waits, with all of its thread, while no slot is free. */
export class ChunkSender {
  readonly #bytes: Uint8Array;
  readonly #states: Int32Array;
  readonly #announce: (chunk: Chunk) => void;
  #slot = 0;

  constructor(memory: ChunkMemory, announce: (chunk: Chunk) => void) {
    this.#bytes = new Uint8Array(memory.bytes);
    this.#states = new Int32Array(memory.states);
    this.#announce = announce;
  }

  /** Throws {@link ChannelStopped}. */
  send(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; from += slotBytes) {
      this.#sendSlot(bytes.subarray(from, from + slotBytes));
    }
  }

  #sendSlot(bytes: Uint8Array): void {
    const slot = this.#slot;
    this.#slot = (slot + 1) % slots;
    while (Atomics.load(this.#states, slot) === 1) Atomics.wait(this.#states, slot, 1);
    if (Atomics.load(this.#states, stopped) === 1) throw new ChannelStopped();
    this.#bytes.set(bytes, slot * slotBytes);
    Atomics.store(this.#states, slot, 1);
    this.#announce({ slot, length: bytes.length });
  }
}

/** The end that writes, in order; never waits with its thread. */
export class ChunkReceiver {
  readonly #memory: ChunkMemory;
  readonly #states: Int32Array;
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  #written: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  constructor(memory: ChunkMemory, write: (bytes: Uint8Array) => Promise<void>) {
    this.#memory = memory;
    this.#states = new Int32Array(memory.states).fill(0);
    this.#write = write;
  }

  take(chunk: Chunk): void {
    this.#written = this.#writeNext(this.#written, chunk);
  }

  async #writeNext(before: Promise<void>, { slot, length }: Chunk): Promise<void> {
    await before;
    try {
      const bytes = new Uint8Array(this.#memory.bytes, slot * slotBytes, length);
      if (this.#failure === undefined) await this.#write(bytes);
    } catch (error) {
      this.stop(error);
    }
    // Freed in any case, so that the sender comes to see that it is to stop.
    Atomics.store(this.#states, slot, 0);
    Atomics.notify(this.#states, slot);
  }

  /** Makes the sender end; {@link written} throws `error`. */
  stop(error: unknown): void {
    this.#failure ??= { error };
    Atomics.store(this.#states, stopped, 1);
  }

  /** When all that was taken is written. Throws what writing threw. */
  async written(): Promise<void> {
    await this.#written;
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
