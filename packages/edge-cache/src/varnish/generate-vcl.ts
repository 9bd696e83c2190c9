import { TaplineError } from '@tapline/base';
import type { ChannelSettings } from '../channel/channel-settings.ts';
import {
  bodyFields,
  channelFreshness,
  freshness,
  hideBodyFields,
  seconds,
} from './vcl-freshness.ts';

export interface VclInput {
  readonly channels: readonly ChannelSettings[];
  /** Names this edge in `Cache-Status` and `Via`. */
  readonly name: string;
  /** What a purge over HTTP has to show; of letters and digits. */
  readonly secret: string;
  /** Whether the module `xkey` is there; without it tags are purged by bans, and never softly. */
  readonly xkey: boolean;
}

/** Request fields that no key shows and some origins answer by; see origin-fields.ts. */
const dangerous = [
  'Forwarded',
  'X-Forwarded-Host',
  'X-Forwarded-Path',
  'X-Forwarded-Port',
  'X-Forwarded-Prefix',
  'X-Forwarded-Proto',
  'X-Forwarded-Scheme',
  'X-Forwarded-Server',
  'X-Host',
  'X-HTTP-Host-Override',
  'X-HTTP-Method',
  'X-HTTP-Method-Override',
  'X-Method-Override',
  'X-Original-Host',
  'X-Original-URL',
  'X-Real-IP',
  'X-Rewrite-URL',
] as const;

/**
 * The configuration of Varnish 7 that does what the channels say. What VCL cannot express is left out
 * and named in docs/decisions/0040-edge-cache.md. Throws `invalid_channel` for what it cannot carry.
 */
export function generateVcl(input: VclInput): string {
  for (const channel of input.channels) assertExpressible(channel);
  return [
    'vcl 4.1;',
    'import std;',
    'import directors;',
    'import purge;',
    ...(input.xkey ? ['import xkey;'] : []),
    '',
    ...input.channels.flatMap(backends),
    ...init(input.channels),
    ...receive(input),
    ...hash(),
    ...hit(),
    ...fetching(input),
    ...response(input),
    ...deliver(input),
  ].join('\n');
}

function backends(channel: ChannelSettings): readonly string[] {
  return channel.origins.flatMap((origin, index) => {
    const { hostname, port } = new URL(origin);
    const { timeouts } = channel;
    return [
      `backend ${backendName(channel, index)} {`,
      `  .host = "${hostname.replaceAll(/^\[|\]$/g, '')}";`,
      `  .port = "${port === '' ? '80' : port}";`,
      `  .connect_timeout = ${seconds(timeouts.connectMs)};`,
      `  .first_byte_timeout = ${seconds(timeouts.headMs)};`,
      `  .between_bytes_timeout = ${seconds(timeouts.idleMs)};`,
      '}',
    ];
  });
}

function init(channels: readonly ChannelSettings[]): readonly string[] {
  return block('vcl_init', [
    ...channels.flatMap((channel) => [
      `new ${directorName(channel)} = directors.fallback();`,
      ...channel.origins.map(
        (_, index) => `${directorName(channel)}.add_backend(${backendName(channel, index)});`,
      ),
    ]),
    'return (ok);',
  ]);
}

function receive({ channels, secret, xkey, name }: VclInput): readonly string[] {
  const sorted = channels.toSorted((one, other) => other.prefix.length - one.prefix.length);
  const withHosts = sorted.filter(({ hosts }) => hosts.length > 0);
  const others = sorted.filter(({ hosts }) => hosts.length === 0);
  return block('vcl_recv', [
    'unset req.http.x-tapline-channel;',
    ...[...withHosts, ...others].flatMap((channel) => [
      `if (!req.http.x-tapline-channel && ${matches(channel)}) {`,
      `  set req.http.x-tapline-channel = "${channel.name}";`,
      `  set req.backend_hint = ${directorName(channel)}.backend();`,
      '}',
    ]),
    'if (req.restarts == 0) {',
    '  unset req.http.x-tapline-grace;',
    '  unset req.http.x-tapline-failed;',
    '  unset req.http.x-tapline-renew;',
    '  unset req.http.x-tapline-wishes;',
    ...channels
      .filter(({ honourRequestDirectives }) => honourRequestDirectives)
      .map(
        (channel) =>
          `  if (req.http.x-tapline-channel == "${channel.name}") { set req.http.x-tapline-wishes = req.http.Cache-Control; }`,
      ),
    '}',
    'if (req.http.x-tapline-renew) { set req.hash_always_miss = true; }',
    'if (req.http.x-tapline-failed) { set req.grace = 10y; }',
    'elseif (req.http.x-tapline-grace) { set req.grace = std.duration(req.http.x-tapline-grace + "s", 0s); }',
    'if (req.method == "PURGE") {',
    `  if (req.http.x-tapline-secret != "${secret}") { return (synth(403)); }`,
    '  set req.http.x-tapline-channel = req.http.x-tapline-purge-channel;',
    ...(xkey
      ? [
          '  if (req.http.x-tapline-tag) {',
          '    if (req.http.x-tapline-mode == "soft") {',
          '      set req.http.x-tapline-count = xkey.softpurge(req.http.x-tapline-tag);',
          '    } else {',
          '      set req.http.x-tapline-count = xkey.purge(req.http.x-tapline-tag);',
          '    }',
          '    return (synth(200, "Purged"));',
          '  }',
        ]
      : []),
    '  return (hash);',
    '}',
    'unset req.http.x-tapline-tag;',
    'unset req.http.x-tapline-mode;',
    'unset req.http.x-tapline-secret;',
    'if (!req.http.x-tapline-channel) { return (synth(404)); }',
    'if (req.restarts == 0) {',
    `  if (req.http.CDN-Loop ~ "(^|[, ])${name}([, ;]|$)") { return (synth(508)); }`,
    `  if (req.http.CDN-Loop) { set req.http.CDN-Loop = req.http.CDN-Loop + ", ${name}"; }`,
    `  else { set req.http.CDN-Loop = "${name}"; }`,
    '}',
    ...dangerous.map((field) => `unset req.http.${field};`),
    'if (req.url ~ "(?i)/(\\.|%2e){1,2}([/?]|%2f|%5c|$)") { return (synth(400)); }',
    'if (req.url ~ "[?&]_HLS_") { set req.url = std.querysort(req.url); }',
    'if (req.method == "CONNECT" || req.method == "TRACE") { return (synth(400)); }',
    // The built-in code would open a pipe for methods it does not know.
    'if (req.method != "GET" && req.method != "HEAD") { return (pass); }',
    // Varnish compares what varies byte by byte, and tags of languages have no case.
    'if (req.http.Accept-Language) { set req.http.Accept-Language = std.tolower(regsuball(req.http.Accept-Language, "[ ]*([,;])[ ]*", "\\1")); }',
    'unset req.http.Cookie;',
    // It waits for nobody; whether it gets what is kept, and others what it gets, the response says.
    'if (req.http.Authorization) { set req.hash_ignore_busy = true; }',
    'return (hash);',
  ]);
}

function hash(): readonly string[] {
  return block('vcl_hash', [
    'hash_data(req.http.x-tapline-channel);',
    'hash_data(req.url);',
    'return (lookup);',
  ]);
}

function hit(): readonly string[] {
  const purging = [
    'if (req.method == "PURGE") {',
    '  if (req.http.x-tapline-mode == "soft") { purge.soft(0s, -1s, -1s); } else { purge.hard(); }',
    '  return (synth(200, "Purged"));',
    '}',
  ];
  const staleFor = '(0s - obj.ttl)';
  const swr = 'std.duration(obj.http.x-tapline-swr + "s", 0s)';
  const asked = 'req.http.x-tapline-wishes';
  return [
    ...block('vcl_hit', [
      ...purging,
      'if (req.http.Authorization && !obj.http.x-tapline-shared) { return (pass); }',
      // Of a list the one that is kept: Varnish compares with the whole field.
      'if (obj.http.ETag ~ "\\x22$" && std.strstr(req.http.If-None-Match, obj.http.ETag)) { set req.http.If-None-Match = obj.http.ETag; }',
      `if (${asked} ~ "(?i)(^|[ ,])no-store([ ,]|$)") { return (pass); }`,
      `if (${asked} ~ "(?i)(^|[ ,])no-cache([ ,]|$)" || obj.age > ${wish('max-age', '10y')} || (obj.ttl > 0s && obj.ttl < ${wish('min-fresh', '0s')})) {`,
      '  set req.http.x-tapline-renew = "1";',
      `  unset ${asked};`,
      '  return (restart);',
      '}',
      // The origin is asked first, and what is here serves where it fails.
      `if (obj.ttl < 0s && ${staleFor} > ${swr} && !req.http.x-tapline-failed && !(${asked} ~ "(?i)(^|[ ,])max-stale([ ,]|$)" || ${staleFor} < ${wish('max-stale', '0s')})) {`,
      '  if (req.http.x-tapline-grace) { return (pass); }',
      '  set req.http.x-tapline-grace = obj.http.x-tapline-swr;',
      '  return (restart);',
      '}',
      'return (deliver);',
    ]),
    ...block('vcl_miss', [
      'if (req.method == "PURGE") {',
      '  purge.hard();',
      '  return (synth(200, "Purged"));',
      '}',
      `if (${asked} ~ "(?i)(^|[ ,])only-if-cached([ ,]|$)") { return (synth(504)); }`,
      'return (fetch);',
    ]),
    ...block('vcl_synth', [
      // The fetch failed, and there is something to take its place.
      'if (resp.status == 503 && req.http.x-tapline-grace && !req.http.x-tapline-failed) {',
      '  set req.http.x-tapline-failed = "1";',
      '  return (restart);',
      '}',
    ]),
    ...block('vcl_backend_error', ['if (bereq.http.x-tapline-grace) { return (abandon); }']),
  ];
}

/** A number of seconds among the directives of a request that are honoured. */
function wish(name: string, otherwise: string): string {
  return `std.duration(regsub(req.http.x-tapline-wishes, "(?i)^(.*[ ,])?${name}=([0-9]{1,9})([ ,].*)?$", "\\2") + "s", ${otherwise})`;
}

function fetching({ channels, name: edge }: VclInput): readonly string[] {
  const longest = Math.max(0, ...channels.map(({ timeouts }) => timeouts.blockingMs));
  return block('vcl_backend_fetch', [
    `set bereq.http.Surrogate-Capability = {"${edge}="Surrogate/1.0""};`,
    'unset bereq.http.x-tapline-wishes;',
    'if (bereq.url ~ "[?&]_HLS_msn=") {',
    `  set bereq.first_byte_timeout = ${seconds(longest)};`,
    '}',
    ...channels
      .filter(({ originHost }) => originHost !== undefined)
      .map(
        ({ name, originHost }) =>
          `if (bereq.http.x-tapline-channel == "${name}") { set bereq.http.Host = "${originHost ?? ''}"; }`,
      ),
    'return (fetch);',
  ]);
}

function response({ channels, xkey, name }: VclInput): readonly string[] {
  return block('vcl_backend_response', [
    // RFC 9111 §4.4; the target holds no white space, so it is one word of the ban.
    'if (bereq.method != "GET" && bereq.method != "HEAD" && bereq.method != "OPTIONS") {',
    '  if (beresp.status >= 200 && beresp.status < 400) {',
    '    ban("obj.http.x-tapline-place == " + bereq.http.x-tapline-channel + bereq.url);',
    ...['Location', 'Content-Location'].flatMap(invalidateNamed),
    '  }',
    '  return (deliver);',
    '}',
    'set beresp.http.x-tapline-place = bereq.http.x-tapline-channel + bereq.url;',
    'if (beresp.status == 206) { return (error(502, "206 to a request for the whole")); }',
    ...bodyFields(),
    ...freshness(name),
    ...channels.flatMap((channel) => perChannel(channel)),
    'if (beresp.http.Vary ~ "\\*") { set beresp.uncacheable = true; set beresp.ttl = 10s; return (deliver); }',
    'if (beresp.http.Cache-Control ~ "(?i)(must-revalidate|proxy-revalidate)") { set beresp.grace = 0s; }',
    // Only of what is kept: a cookie of an answer for one client is that client's.
    'if (beresp.http.x-tapline-no-cookie) { unset beresp.http.Set-Cookie; }',
    'set beresp.keep = 1h;',
    'set beresp.http.x-tapline-tags = beresp.http.xkey + " " + beresp.http.Surrogate-Key + " " + regsuball(beresp.http.Cache-Tag, ",", " ");',
    'set beresp.http.x-tapline-tags = " " + regsuball(beresp.http.x-tapline-tags, "([^ ]+)", bereq.http.x-tapline-channel + "/\\1") + " " + bereq.http.x-tapline-channel + " tapline-all ";',
    'unset beresp.http.Surrogate-Key;',
    'unset beresp.http.Cache-Tag;',
    ...(xkey
      ? ['set beresp.http.xkey = beresp.http.x-tapline-tags;', 'unset beresp.http.x-tapline-tags;']
      : ['unset beresp.http.xkey;']),
    // A failure in the background leaves what is there in its grace.
    'if (beresp.status >= 500 && (bereq.is_bgfetch || bereq.http.x-tapline-grace)) { return (abandon); }',
    'return (deliver);',
  ]);
}

/**
 * RFC 9111 §4.4: what the answer to an unsafe request names is no longer valid, of the same host only. A
 * ban is split at white space, so a name with any is none.
 */
function invalidateNamed(field: string): readonly string[] {
  const value = `beresp.http.${field}`;
  const named = 'bereq.http.x-tapline-named';
  const relative = 'regsub(regsub(bereq.url, "[?].*$", ""), "[^/]*$", "")';
  return [
    `    unset ${named};`,
    `    if (${value} ~ "^/($|[^/])") { set ${named} = ${value}; }`,
    `    elseif (${value} ~ "(?i)^https?://[^/]+/" && regsub(${value}, "(?i)^https?://([^/]+)/.*$", "\\1") == bereq.http.host) {`,
    `      set ${named} = regsub(${value}, "(?i)^https?://[^/]+", "");`,
    `    } elseif (${value} ~ "^[^/:?#]+([/?]|$)") { set ${named} = ${relative} + ${value}; }`,
    `    if (${named} && ${named} !~ "[\\s\\x22\\x5c]") {`,
    `      ban("obj.http.x-tapline-place == " + bereq.http.x-tapline-channel + ${named});`,
    '    }',
  ];
}

/** A number of seconds out of what a response says. */
function ofField(name: string, fallbackMs: number): string {
  return `std.duration(regsub(beresp.http.Cache-Control, "(?i)^.*?${name}=([0-9]+).*$", "\\1") + "s", ${seconds(fallbackMs)})`;
}

/** Times that a stale response may serve are kept with it, for vcl_hit to tell them apart. */
function perChannel(channel: ChannelSettings): readonly string[] {
  const { staleWhileRevalidateMs, staleIfErrorMs, honourRequestDirectives } = channel;
  return [
    `if (bereq.http.x-tapline-channel == "${channel.name}") {`,
    `  set beresp.http.x-tapline-swr = ${ofField('stale-while-revalidate', staleWhileRevalidateMs)};`,
    `  set beresp.grace = ${ofField('stale-if-error', staleIfErrorMs)};`,
    '  if (std.duration(beresp.http.x-tapline-swr + "s", 0s) > beresp.grace) { set beresp.grace = std.duration(beresp.http.x-tapline-swr + "s", 0s); }',
    // Whoever asks for it may have what is older still.
    ...(honourRequestDirectives
      ? [
          '  set beresp.http.x-tapline-sie = beresp.grace;',
          '  if (beresp.grace < 1h) { set beresp.grace = 1h; }',
        ]
      : []),
    ...(channel.storeSetCookie ? [] : ['  set beresp.http.x-tapline-no-cookie = "1";']),
    ...channelFreshness(channel),
    '}',
  ];
}

function deliver({ name }: VclInput): readonly string[] {
  return block('vcl_deliver', [
    'unset resp.http.xkey;',
    'unset resp.http.x-tapline-tags;',
    'unset resp.http.x-tapline-place;',
    'unset resp.http.x-tapline-no-cookie;',
    'unset resp.http.x-tapline-shared;',
    'unset resp.http.x-tapline-swr;',
    'unset resp.http.x-tapline-sie;',
    ...hideBodyFields(),
    'unset resp.http.X-Varnish;',
    'unset resp.http.Via;',
    `if (obj.hits > 0) { set resp.http.Cache-Status = "${name}; hit"; }`,
    `else { set resp.http.Cache-Status = "${name}; fwd=uri-miss"; }`,
    'return (deliver);',
  ]);
}

function matches({ hosts, prefix }: ChannelSettings): string {
  // No quote and no backslash can be in a prefix: assertExpressible has seen to it.
  const path = `req.url ~ "^${escaped(prefix)}"`;
  if (hosts.length === 0) return path;
  const names = hosts.map((host) => `req.http.host ~ "(?i)^${escaped(host)}(:[0-9]+)?$"`);
  return `(${names.join(' || ')}) && ${path}`;
}

function block(name: string, lines: readonly string[]): readonly string[] {
  return [`sub ${name} {`, ...lines.map((line) => `  ${line}`), '}', ''];
}

function escaped(text: string): string {
  return text.replaceAll(
    /[.*+?^${}()|[\]]/g,
    (character) => `[${character === '^' ? '\\^' : character}]`,
  );
}

function backendName(channel: ChannelSettings, index: number): string {
  return `b_${identifier(channel.name)}_${index}`;
}

function directorName(channel: ChannelSettings): string {
  return `d_${identifier(channel.name)}`;
}

/** A name in VCL; different channels have different ones. */
function identifier(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9]/g, (character) => `_${character.charCodeAt(0)}_`);
}

function assertExpressible(channel: ChannelSettings): void {
  const { name, hosts, prefix, stripPrefix, origins, parents, originHost } = channel;
  const { signing } = channel;
  const problem = hosts.some((host) => !/^[A-Za-z0-9._:-]{1,253}$/.test(host))
    ? 'a host holds other characters than letters, digits, dots and dashes'
    : !/^\/[A-Za-z0-9._~/-]*$/.test(prefix)
      ? `prefix ${JSON.stringify(prefix)} holds what VCL cannot carry`
      : originHost !== undefined && !/^[A-Za-z0-9._:-]{1,253}$/.test(originHost)
        ? 'originHost is no host'
        : origins.some(
              (origin) => !origin.startsWith('http://') || new URL(origin).pathname !== '/',
            )
          ? 'Varnish asks origins by http:// and without a path'
          : parents.length > 0
            ? 'Varnish is given no parents'
            : signing !== undefined
              ? 'Varnish verifies no signed addresses'
              : stripPrefix
                ? 'Varnish takes no prefix off'
                : undefined;
  if (problem === undefined) return;
  throw new TaplineError('invalid_channel', `channel ${name}: ${problem}`, {
    hint: "use Tapline's own engine for this channel",
  });
}
