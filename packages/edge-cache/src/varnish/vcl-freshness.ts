import type { ChannelSettings } from '../channel/channel-settings.ts';

/** A duration in VCL. */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)}s`;
}

/** Scratch of one fetch: VCL has no variables, and the origin was asked already. */
const control = 'bereq.http.x-tapline-control';
const targeted = 'bereq.http.x-tapline-targeted';
const expires = 'bereq.http.x-tapline-expires';
const date = 'std.time(beresp.http.Date, now)';
const uncacheable = 'set beresp.uncacheable = true; set beresp.ttl = 10s; return (deliver);';

/** Status codes that may be kept without explicit freshness (RFC 9110 §15.1). */
const heuristic = [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501] as const;

/** Those whose meaning for caches is known, which `must-understand` asks for. */
const understood = [200, 203, 204, 300, 301, 302, 303, 307, 308, 404, 405, 410, 414, 501] as const;

/** What a 304 does not change, as it tells of the body (RFC 9111 §3.2); see update-stored-fields.ts. */
const ofTheBody = ['Content-Encoding', 'Content-MD5', 'Content-Range', 'ETag'] as const;

/** Keeps what tells of a body beside it, and puts it back where a 304 said otherwise. */
export function bodyFields(): readonly string[] {
  const lines = ofTheBody.flatMap((field) => {
    const [value, kept] = [`beresp.http.${field}`, `beresp.http.x-tapline-body-${field}`];
    return [
      `if (beresp.was_304) { if (${kept}) { set ${value} = ${kept}; } else { unset ${value}; } }`,
      `elseif (${value}) { set ${kept} = ${value}; } else { unset ${kept}; }`,
    ];
  });
  // Varnish fails a fetch whose 200 has this one, which says nothing there; it is put back for clients.
  return [...lines, 'unset beresp.http.Content-Range;'];
}

export function hideBodyFields(): readonly string[] {
  const range = 'x-tapline-body-Content-Range';
  return [
    `if (resp.http.${range} && !req.http.Range) { set resp.http.Content-Range = resp.http.${range}; }`,
    ...ofTheBody.map((field) => `unset resp.http.x-tapline-body-${field};`),
  ];
}

/**
 * How long a response is fresh, by RFC 9111 §4.2 and as freshness.ts has it: Varnish's own reading knows
 * no heuristics, fewer statuses, and takes `Expires` for now where clocks differ.
 */
export function freshness(name: string): readonly string[] {
  const device = name.replaceAll(/[.]/g, '[.]');
  return [
    'std.collect(beresp.http.Cache-Control);',
    'std.collect(beresp.http.Expires);',
    'std.collect(beresp.http.Age);',
    `set ${control} = beresp.http.Cache-Control;`,
    `unset ${targeted};`,
    // RFC 9213: what is meant for caches like this one goes before the rest.
    'if (beresp.http.CDN-Cache-Control ~ "(?i)(^|[ ,])(no-store|private|no-cache|max-age=[0-9]+)") {',
    `  set ${control} = beresp.http.CDN-Cache-Control; set ${targeted} = "1";`,
    '} else {',
    // A member that names another device is not for this cache.
    `  set bereq.http.x-tapline-surrogate = regsuball(regsuball(beresp.http.Surrogate-Control, ";[ ]*${device}([ ,;]|$)", "\\1"), "[^ ,;]+;[^,]*", "");`,
    '  if (bereq.http.x-tapline-surrogate ~ "(?i)(^|[ ,])(no-store|private|no-cache|max-age=[0-9]+)([ ,]|$)") {',
    `    set ${control} = bereq.http.x-tapline-surrogate; set ${targeted} = "1";`,
    '  }',
    '  unset bereq.http.x-tapline-surrogate;',
    '}',
    // In quotes nothing is a directive; a number may stand in them.
    `set ${control} = regsuball(${control}, "=\\x22[^\\x22]*[^0-9\\x22][^\\x22]*\\x22", "=");`,
    // RFC 9111 §3.5: what came for who shows credentials is kept only where it says that it is for all.
    'unset beresp.http.x-tapline-shared;',
    `if (${control} ~ "(?i)(^|[ ,])(public([ ,]|$)|must-revalidate([ ,]|$)|s-maxage=)") { set beresp.http.x-tapline-shared = "1"; }`,
    `elseif (bereq.http.Authorization) { ${uncacheable} }`,
    `if (${control} ~ "(?i)(^|[ ,])(no-store|private|no-cache)([ ,]|$)") { ${uncacheable} }`,
    `if (${control} ~ "(?i)(^|[ ,])must-understand([ ,]|$)" && !(${anyOf(understood)})) { ${uncacheable} }`,
    // More than eleven digits are none to Varnish; ten are three centuries.
    `set ${control} = regsuball(${control}, "=\\x22?[0-9]{11,}\\x22?", "=2147483648");`,
    // An age that cannot be read is taken for one that is too old; of a list the first member counts.
    'if (beresp.http.Age ~ "^[0-9]{1,10},[^ ]*$") { set beresp.http.Age = regsub(beresp.http.Age, ",.*$", ""); }',
    `if (beresp.http.Age && beresp.http.Age !~ "^[0-9]{1,10}$") { ${uncacheable} }`,
    ...readableExpires(),
    ...lifetime(),
    ...age(),
  ];
}

function anyOf(statuses: readonly number[]): string {
  return statuses.map((status) => `beresp.status == ${status}`).join(' || ');
}

/** Names of days and months in any case; Varnish reads them in theirs. */
function readableExpires(): readonly string[] {
  const names = 'Mon Tue Wed Thu Fri Sat Sun Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec GMT';
  return [
    `set ${expires} = beresp.http.Expires;`,
    `if (${expires} ~ "^[A-Za-z]{3}, [0-9]{2} [A-Za-z]{3} [0-9]{4} [0-9:]{8} [A-Za-z]{3}$" && ${expires} !~ "^[A-Z][a-z]{2}, .. [A-Z][a-z]{2} .* GMT$") {`,
    ...names
      .split(' ')
      .map((name) => `  set ${expires} = regsub(${expires}, "(?i)\\b${name}\\b", "${name}");`),
    '}',
  ];
}

function directive(name: string): string {
  return `(?i)(^|[ ,])${name}=`;
}

function secondsOf(name: string): string {
  return `std.duration(regsub(${control}, "(?i)^(|.*?[ ,])${name}=\\x22?([0-9]{1,10})(?:[.][0-9]+)?\\x22?([ ,].*)?$", "\\2") + "s", 0s)`;
}

function lifetime(): readonly string[] {
  return [
    `if (!${targeted} && ${control} ~ "${directive('s-maxage')}") { set beresp.ttl = ${secondsOf('s-maxage')}; }`,
    `elseif (${control} ~ "${directive('max-age')}") { set beresp.ttl = ${secondsOf('max-age')}; }`,
    // An unreadable date, `0` above all, is one in the past.
    `elseif (!${targeted} && beresp.http.Expires) { set beresp.ttl = std.time(${expires}, ${date}) - ${date}; }`,
    `elseif (beresp.http.Last-Modified && (${anyOf(heuristic)} || ` +
      `${control} ~ "(?i)(^|[ ,])public([ ,]|$)")) {`,
    `  set beresp.ttl = (${date} - std.time(beresp.http.Last-Modified, ${date})) * 0.1;`,
    '  if (beresp.ttl > 86400s) { set beresp.ttl = 86400s; }',
    '} else { set beresp.ttl = 0s; }',
  ];
}

/** Dates have a resolution of a second: what is below it tells nothing of age (RFC 9111 §4.2.3). */
function age(): readonly string[] {
  return [
    `if (now - ${date} > std.duration(beresp.http.Age + "s", 0s) + 1s) { set beresp.ttl = beresp.ttl - (now - ${date}); }`,
    'else { set beresp.ttl = beresp.ttl - std.duration(beresp.http.Age + "s", 0s); }',
  ];
}

/** What a channel has for responses that say nothing themselves. */
export function channelFreshness(channel: ChannelSettings): readonly string[] {
  const { defaults } = channel;
  const silent =
    '!beresp.http.Cache-Control && !beresp.http.Expires && !beresp.http.Surrogate-Control && !beresp.http.CDN-Cache-Control';
  const media = '(ts|m4s|mp4|cmfv|cmfa|m4a|m4v|aac|vtt|webvtt)';
  // A web server's date says only when a segment was written: it is asked for by it soon.
  const dated = Math.min(defaults.segmentMs, 60_000);
  return [
    `  if (${silent}) {`,
    `    if ((beresp.status >= 500 && beresp.status != 501) || (!beresp.http.Last-Modified && (beresp.status == 404 || beresp.status == 410 || beresp.status == 501))) { set beresp.ttl = ${seconds(defaults.negativeMs)}; set beresp.grace = 0s; }`,
    ...(defaults.playlistMs === 0
      ? []
      : [
          `    elseif (bereq.url ~ "(?i)^[^?]*\\.m3u8([?]|$)") { set beresp.ttl = ${seconds(defaults.playlistMs)}; }`,
        ]),
    ...(defaults.segmentMs === 0
      ? []
      : [
          `    elseif (bereq.url ~ "(?i)^[^?]*\\.${media}([?]|$)") { if (beresp.http.Last-Modified) { set beresp.ttl = ${seconds(dated)}; } else { set beresp.ttl = ${seconds(defaults.segmentMs)}; } }`,
        ]),
    `    elseif (!beresp.http.Last-Modified && !beresp.http.ETag) { ${uncacheable} }`,
    '  }',
  ];
}
