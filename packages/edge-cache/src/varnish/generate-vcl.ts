import { TaplineError } from '@tapline/base';
import type { ChannelSettings } from '../channel/channel-settings.ts';

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
    ...fetching(input.channels),
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
    `if (req.http.CDN-Loop ~ "(^|[, ])${name}([, ;]|$)") { return (synth(508)); }`,
    `if (req.http.CDN-Loop) { set req.http.CDN-Loop = req.http.CDN-Loop + ", ${name}"; }`,
    `else { set req.http.CDN-Loop = "${name}"; }`,
    ...dangerous.map((field) => `unset req.http.${field};`),
    'if (req.url ~ "(?i)/(\\.|%2e){1,2}([/?]|%2f|%5c|$)") { return (synth(400)); }',
    'if (req.url ~ "[?&]_HLS_") { set req.url = std.querysort(req.url); }',
    'if (req.method == "CONNECT" || req.method == "TRACE") { return (synth(400)); }',
    // The built-in code would open a pipe for methods it does not know.
    'if (req.method != "GET" && req.method != "HEAD") { return (pass); }',
    'unset req.http.Cookie;',
    'if (req.http.Authorization) { return (pass); }',
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
  return [
    ...block('vcl_hit', [...purging, 'return (deliver);']),
    ...block('vcl_miss', [
      'if (req.method == "PURGE") {',
      '  purge.hard();',
      '  return (synth(200, "Purged"));',
      '}',
      'return (fetch);',
    ]),
  ];
}

function fetching(channels: readonly ChannelSettings[]): readonly string[] {
  const longest = Math.max(0, ...channels.map(({ timeouts }) => timeouts.blockingMs));
  return block('vcl_backend_fetch', [
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

function response({ channels, xkey }: VclInput): readonly string[] {
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
    ...channels.flatMap((channel) => perChannel(channel)),
    // RFC 9213: what is meant for caches like this one goes before the rest.
    'if (beresp.http.CDN-Cache-Control ~ "(?i)(^|[ ,])(no-store|private)") { set beresp.uncacheable = true; set beresp.ttl = 10s; return (deliver); }',
    'if (beresp.http.CDN-Cache-Control ~ "(?i)(^|[ ,])max-age=[0-9]+") {',
    '  set beresp.ttl = std.duration(regsub(beresp.http.CDN-Cache-Control, "(?i)^.*?max-age=([0-9]+).*$", "\\1") + "s", 0s) - std.duration(beresp.http.Age + "s", 0s);',
    '} elseif (beresp.http.Surrogate-Control ~ "(?i)(^|[ ,])(no-store|max-age=0+([ ,]|$))") {',
    '  set beresp.uncacheable = true; set beresp.ttl = 10s; return (deliver);',
    '} elseif (beresp.http.Surrogate-Control ~ "(?i)(^|[ ,])max-age=[0-9]+([ ,]|$)") {',
    '  set beresp.ttl = std.duration(regsub(beresp.http.Surrogate-Control, "(?i)^.*?max-age=([0-9]+).*$", "\\1") + "s", 0s) - std.duration(beresp.http.Age + "s", 0s);',
    '} elseif (beresp.http.Cache-Control ~ "(?i)(^|[ ,])(no-store|private)([ ,]|$)") {',
    '  set beresp.uncacheable = true; set beresp.ttl = 10s; return (deliver);',
    '} elseif (beresp.http.Cache-Control ~ "(?i)(^|[ ,])no-cache([ ,]|$)") {',
    '  set beresp.uncacheable = true; set beresp.ttl = 10s; return (deliver);',
    '}',
    // An age that cannot be read is taken for one that is too old.
    'std.collect(beresp.http.Age);',
    'if (beresp.http.Age && beresp.http.Age !~ "^[0-9]{1,10}$") { set beresp.uncacheable = true; set beresp.ttl = 10s; return (deliver); }',
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
    'if (beresp.status >= 500 && bereq.is_bgfetch) { return (abandon); }',
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

function perChannel(channel: ChannelSettings): readonly string[] {
  const { defaults } = channel;
  const silent =
    '!beresp.http.Cache-Control && !beresp.http.Expires && !beresp.http.Surrogate-Control';
  const graceMs = Math.max(channel.staleWhileRevalidateMs, channel.staleIfErrorMs);
  return [
    `if (bereq.http.x-tapline-channel == "${channel.name}") {`,
    `  set beresp.grace = ${seconds(graceMs)};`,
    ...(channel.storeSetCookie ? [] : ['  set beresp.http.x-tapline-no-cookie = "1";']),
    '  if (beresp.http.Cache-Control ~ "(?i)stale-while-revalidate=[0-9]+") {',
    '    set beresp.grace = std.duration(regsub(beresp.http.Cache-Control, "(?i)^.*?stale-while-revalidate=([0-9]+).*$", "\\1") + "s", 0s);',
    '  }',
    `  if (${silent}) {`,
    `    if (beresp.status == 404 || beresp.status == 410 || beresp.status >= 500) { set beresp.ttl = ${seconds(defaults.negativeMs)}; set beresp.grace = 0s; }`,
    `    elseif (bereq.url ~ "(?i)^[^?]*\\.m3u8([?]|$)") { set beresp.ttl = ${seconds(defaults.playlistMs)}; }`,
    `    elseif (bereq.url ~ "(?i)^[^?]*\\.(ts|m4s|mp4|cmfv|cmfa|m4a|m4v|aac|vtt|webvtt)([?]|$)") { set beresp.ttl = ${seconds(defaults.segmentMs)}; }`,
    '    elseif (!beresp.http.Last-Modified && !beresp.http.ETag) { set beresp.uncacheable = true; set beresp.ttl = 10s; return (deliver); }',
    '  }',
    '}',
  ];
}

function deliver({ name }: VclInput): readonly string[] {
  return block('vcl_deliver', [
    'unset resp.http.xkey;',
    'unset resp.http.x-tapline-tags;',
    'unset resp.http.x-tapline-place;',
    'unset resp.http.x-tapline-no-cookie;',
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

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)}s`;
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
