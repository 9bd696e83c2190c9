import { WaitQueue } from './wait-queue.ts';

/** A thread that waits at an address. */
export interface FutexWaiter {
  readonly queue: WaitQueue;
  readonly bits: number;
  woken: boolean;
  /** Changes when it is moved to another address. */
  place: FutexPlace;
}

/** A word in memory: of one address space, or of what several share. */
export interface FutexPlace {
  readonly memory: object;
  readonly offset: number;
}

/** Who waits at which word. */
export class Futexes {
  readonly #waiters: Map<object, FutexWaiter[]> = new Map();

  add(waiter: FutexWaiter): void {
    const { memory } = waiter.place;
    const waiters = this.#waiters.get(memory);
    if (waiters === undefined) this.#waiters.set(memory, [waiter]);
    else waiters.push(waiter);
  }

  remove(waiter: FutexWaiter): void {
    const { memory } = waiter.place;
    const left = this.#waiters.get(memory)?.filter((other) => other !== waiter) ?? [];
    if (left.length === 0) this.#waiters.delete(memory);
    else this.#waiters.set(memory, left);
  }

  wake(place: FutexPlace, how: { readonly most: number; readonly bits: number }): number {
    let woken = 0;
    for (const waiter of this.#at(place)) {
      if (woken >= how.most) break;
      if ((waiter.bits & how.bits) === 0) continue;
      this.remove(waiter);
      waiter.woken = true;
      waiter.queue.wake();
      woken++;
    }
    return woken;
  }

  /** Those that are left go to wait at another word. */
  requeue(from: FutexPlace, to: FutexPlace, most: number): number {
    const moved = this.#at(from).slice(0, most);
    for (const waiter of moved) {
      this.remove(waiter);
      waiter.place = to;
      this.add(waiter);
    }
    return moved.length;
  }

  #at(place: FutexPlace): readonly FutexWaiter[] {
    const waiters = this.#waiters.get(place.memory) ?? [];
    return waiters.filter((waiter) => waiter.place.offset === place.offset);
  }
}
