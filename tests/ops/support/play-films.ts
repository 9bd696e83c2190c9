import { seededRng, systemClock } from '@tapline/base';

/** Players of films: each edge is asked for segments at a steady rate, evenly over all of them. */
export function playFilms(init: {
  /** `http://host:port/CHANNEL/` of each edge, whenever it is asked. */
  readonly edges: () => readonly string[];
  readonly segments: number;
  readonly perSecond: number;
}): AsyncDisposable {
  const stopping = new AbortController();
  const { signal } = stopping;
  const rng = seededRng(7);
  const asked = new Set<Promise<void>>();
  const running = play();

  async function play(): Promise<void> {
    while (!signal.aborted) {
      for (const edge of init.edges()) {
        const one = ask(`${edge}s${Math.floor(rng() * init.segments)}.ts`);
        asked.add(one);
        void one.finally(() => asked.delete(one));
      }
      await systemClock.sleep(1000 / init.perSecond, { signal }).catch(() => undefined);
    }
    await Promise.all(asked);
  }

  async function ask(url: string): Promise<void> {
    try {
      const within = AbortSignal.any([signal, AbortSignal.timeout(5000)]);
      await (await fetch(url, { signal: within })).arrayBuffer();
    } catch {
      // An edge that dies is what these tests are about.
    }
  }

  return {
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running;
    },
  };
}
