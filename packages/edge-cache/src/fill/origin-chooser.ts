import type { Clock } from '@tapline/base';
import type { Channel } from '../channel/channel-table.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { rankMembers } from './hash-ring.ts';

/** A place to ask, with what is known of it. */
export interface Upstream {
  readonly url: URL;
  readonly kind: 'parent' | 'origin';
  readonly breaker: CircuitBreaker;
  /** Requests to it under way. */
  load: number;
}

/** A parent takes at most this much more than its even share; the key then goes to the next. */
const loadBound = 1.25;
/** Below it the bound says nothing: few requests are never even. */
const minLoad = 4;

/** Chooses whom to ask for a key: parents by consistent hashing with bounded load, then origins. */
export class OriginChooser {
  readonly #clock: Clock;
  readonly #upstreams = new Map<string, Upstream>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** In the order to try; those whose breaker is open are left out. */
  candidates(channel: Channel, key: string): readonly Upstream[] {
    const { settings } = channel;
    const parents = channel.parents.map((url) => this.#upstream(channel, url, 'parent'));
    const total = parents.reduce((sum, { load }) => sum + load, 0);
    const bound = Math.max(minLoad, (loadBound * (total + 1)) / Math.max(1, parents.length));
    const ranked = rankMembers(key, settings.parents).map(
      (name) => parents[settings.parents.indexOf(name)],
    );
    const inOrder = ranked.filter((parent) => parent !== undefined);
    const [within, over] = [
      inOrder.filter(({ load }) => load < bound),
      inOrder.filter(({ load }) => load >= bound),
    ];
    const origins = channel.origins.map((url) => this.#upstream(channel, url, 'origin'));
    return [...within, ...over, ...origins];
  }

  #upstream(channel: Channel, url: URL, kind: Upstream['kind']): Upstream {
    const name = `${channel.settings.name} ${kind} ${url.href}`;
    let upstream = this.#upstreams.get(name);
    if (upstream === undefined) {
      const { failures, openMs } = channel.settings.breaker;
      const breaker = new CircuitBreaker({ failures, openMs, clock: this.#clock });
      upstream = { url, kind, breaker, load: 0 };
      this.#upstreams.set(name, upstream);
    }
    return upstream;
  }
}
