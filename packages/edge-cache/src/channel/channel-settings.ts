/** How one channel is cached. Times in ms. */
export interface ChannelSettings {
  /** Letters, digits, `-` and `.`; part of every key. */
  readonly name: string;
  /** Which authorities are this channel's; empty: any that no other channel has. */
  readonly hosts: readonly string[];
  /** Paths that are this channel's, such as `/news/`; the longest prefix wins. */
  readonly prefix: string;
  /** Whether the origin knows nothing of the prefix: it is asked for what comes after it. */
  readonly stripPrefix: boolean;
  /** `http://` or `https://` addresses, tried in order; a path in one goes before each target. */
  readonly origins: readonly string[];
  /** Other edges that are asked before the origin, each for its share of the keys. */
  readonly parents: readonly string[];
  /** What the origin gets as `Host`; the origin's own unless given. */
  readonly originHost: string | undefined;
  /** Request fields that reach the origin on a request that may be cached; `all` but dangerous ones. */
  readonly forwardedFields: readonly string[] | 'all';
  readonly timeouts: {
    readonly connectMs: number;
    readonly headMs: number;
    /** For requests with `_HLS_msn`, which the origin holds on purpose. */
    readonly blockingMs: number;
    readonly idleMs: number;
  };
  readonly retries: number;
  /**
   * How many redirects in a row of an origin are followed for the viewer, none unless given, and to
   * which hosts beside the origins'. Others are the viewer's to follow.
   */
  readonly redirects: { readonly follow: number; readonly hosts: readonly string[] };
  /** After so many failures in a row the origin is left alone for a while. */
  readonly breaker: { readonly failures: number; readonly openMs: number };
  /** Where the response says nothing of freshness itself. */
  readonly defaults: {
    readonly playlistMs: number;
    readonly segmentMs: number;
    /** For 404, 410 and errors. */
    readonly negativeMs: number;
  };
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  /** Whether clients may force revalidation or bypass by `Cache-Control` of requests. */
  readonly honourRequestDirectives: boolean;
  /**
   * Whether `Set-Cookie` is kept and given to all. Otherwise it goes to the one client whose request
   * was sent on, and the rest of the response is kept without it.
   */
  readonly storeSetCookie: boolean;
  /** Whether pages of any site may read what says nothing of that itself: players in browsers. */
  readonly anySite: boolean;
  /** A range of something that is not kept: fetch the whole and serve from it, or ask for the range. */
  readonly rangeMiss: 'whole' | 'forward';
  readonly maxObjectBytes: number;
  readonly limits: {
    /** Requests under way at once; 0 for none. */
    readonly concurrentRequests: number;
    readonly requestsPerSecond: number;
    readonly concurrentFetches: number;
    /** What it may have in memory and on disk, beyond which it gives up its own; 0 for none. */
    readonly memoryBytes?: number;
    readonly diskBytes?: number;
  };
  /** Verified before anything else where present. */
  readonly signing: SigningSettings | undefined;
}

export interface SigningSettings {
  /** Secrets by id; several let one be replaced. */
  readonly keys: Readonly<Record<string, string>>;
}

const second = 1000;
const mebibyte = 1024 * 1024;

/** The fields that may change an answer in a way that the key or `Vary` shows, and harmless ones. */
const forwardedByDefault = [
  'accept',
  'accept-encoding',
  'accept-language',
  'authorization',
  'origin',
  'traceparent',
  'user-agent',
] as const;

/** A channel with everything left at its default. */
export function channelSettings(
  given: Pick<ChannelSettings, 'name' | 'origins'> & Partial<ChannelSettings>,
): ChannelSettings {
  return {
    hosts: [],
    prefix: '/',
    stripPrefix: false,
    parents: [],
    originHost: undefined,
    forwardedFields: forwardedByDefault,
    timeouts: {
      connectMs: 3 * second,
      headMs: 10 * second,
      blockingMs: 30 * second,
      idleMs: 10 * second,
    },
    retries: 1,
    redirects: { follow: 0, hosts: [] },
    breaker: { failures: 5, openMs: 2 * second },
    defaults: { playlistMs: second, segmentMs: 14 * 24 * 3600 * second, negativeMs: second },
    staleWhileRevalidateMs: 0,
    staleIfErrorMs: 60 * second,
    honourRequestDirectives: false,
    storeSetCookie: false,
    anySite: false,
    rangeMiss: 'whole',
    maxObjectBytes: 64 * mebibyte,
    limits: { concurrentRequests: 10_000, requestsPerSecond: 0, concurrentFetches: 256 },
    signing: undefined,
    ...given,
  };
}
