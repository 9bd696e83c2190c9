import { type Clock, TaplineError } from '@tapline/base';
import type { ChannelSettings } from './channel-settings.ts';
import { TokenBucket } from './token-bucket.ts';

/** A channel as it runs: its settings and what is counted against its limits. */
export interface Channel {
  readonly settings: ChannelSettings;
  /** Its origins, then parsed once. */
  readonly origins: readonly URL[];
  readonly parents: readonly URL[];
  readonly bucket: TokenBucket | undefined;
  concurrentRequests: number;
  concurrentFetches: number;
  /** The same object after it is configured anew. */
  readonly counters: ChannelCounters;
}

/** What happened to a channel's requests since the start. */
export interface ChannelCounters {
  requests: number;
  hits: number;
  misses: number;
  passes: number;
  fetches: number;
  originFailures: number;
}

/** Finds the channel of a request. */
export class ChannelTable {
  readonly #byHost = new Map<string, readonly Channel[]>();
  readonly #others: readonly Channel[];
  readonly all: readonly Channel[];
  /** What was found last for a host: a connection asks for the same one again and again. */
  #lastHost = '';
  #lastFound: readonly Channel[] = [];

  /** Throws `invalid_channel` where two channels would answer the same address. */
  constructor(settings: readonly ChannelSettings[], clock: Clock, before?: ChannelTable) {
    const places = new Set<string>();
    for (const one of settings) {
      assertChannel(one);
      for (const host of one.hosts.length === 0 ? ['*'] : one.hosts) {
        const place = `${host.toLowerCase()} ${one.prefix}`;
        if (places.has(place)) {
          throw new TaplineError(
            'invalid_channel',
            `channel ${one.name}: ${place} is another channel's already`,
            { hint: 'give them different hosts or prefixes' },
          );
        }
        places.add(place);
      }
    }
    this.all = settings.map((one) => running(one, clock, before?.named(one.name)));
    const sorted = this.all.toSorted(
      (one, other) => other.settings.prefix.length - one.settings.prefix.length,
    );
    this.#others = sorted.filter(({ settings: { hosts } }) => hosts.length === 0);
    for (const host of new Set(
      settings.flatMap(({ hosts }) => hosts.map((name) => name.toLowerCase())),
    )) {
      this.#byHost.set(
        host,
        sorted.filter(({ settings: { hosts } }) =>
          hosts.some((name) => name.toLowerCase() === host),
        ),
      );
    }
  }

  find(authority: string, target: string): Channel | undefined {
    if (authority !== this.#lastHost) {
      this.#lastFound =
        this.#byHost.get(authority) ?? this.#byHost.get(withoutPort(authority)) ?? [];
      this.#lastHost = authority;
    }
    return longestMatch(this.#lastFound, target) ?? longestMatch(this.#others, target);
  }

  named(name: string): Channel | undefined {
    return this.all.find(({ settings }) => settings.name === name);
  }
}

function longestMatch(channels: readonly Channel[], target: string): Channel | undefined {
  for (const channel of channels) {
    if (target.startsWith(channel.settings.prefix)) return channel;
  }
  return undefined;
}

function withoutPort(authority: string): string {
  return authority.replace(/:\d+$/, '');
}

function running(settings: ChannelSettings, clock: Clock, before: Channel | undefined): Channel {
  const rate = settings.limits.requestsPerSecond;
  return {
    settings,
    origins: settings.origins.map((origin) => new URL(origin)),
    parents: settings.parents.map((parent) => new URL(parent)),
    bucket: rate === 0 ? undefined : new TokenBucket({ perSecond: rate, burst: rate, clock }),
    concurrentRequests: 0,
    concurrentFetches: 0,
    counters: before?.counters ?? {
      requests: 0,
      hits: 0,
      misses: 0,
      passes: 0,
      fetches: 0,
      originFailures: 0,
    },
  };
}

function assertChannel({ name, prefix, origins, parents }: ChannelSettings): void {
  const problem = !/^[A-Za-z0-9.-]{1,63}$/.test(name)
    ? `name ${JSON.stringify(name)} is not 1 to 63 letters, digits, dots and dashes`
    : !/^\/(?:[^\s?#]*\/)?$/.test(prefix)
      ? `prefix ${JSON.stringify(prefix)} does not start and end with /`
      : origins.length === 0
        ? 'it has no origin'
        : [...origins, ...parents].find(
            (origin) => !/^https?:\/\/[^/?#\s]+(?:\/[^?#\s]*)?$/.test(origin),
          );
  if (problem !== undefined) {
    throw new TaplineError('invalid_channel', `channel ${name.slice(0, 100)}: ${problem}`, {
      hint: 'a channel needs a name, a prefix such as /news/ and an origin such as http://host:8080',
    });
  }
}
