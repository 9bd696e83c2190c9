import type { HeaderField, HeaderFields } from '../rfc/header-fields.ts';

export interface RequestHead {
  readonly kind: 'request';
  readonly method: string;
  /** Path and query as sent, starting with `/`; `*` of OPTIONS. */
  readonly target: string;
  /** From the target where it is absolute, otherwise from `Host`; in lower case. */
  readonly authority: string;
  readonly fields: HeaderFields;
  readonly body: RequestBody;
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
  /** HTTP/1.1, not 1.0. */
  readonly modern: boolean;
}

export type RequestBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' };

/** Why a head is refused; the connection is closed after the answer. */
export interface RefusedHead {
  readonly kind: 'refused';
  readonly status: 400 | 501 | 505;
  readonly reason: string;
}

const noBody: RequestBody = { kind: 'none' };
// Built from text: a control character in a literal is taken for a slip.
const controlCharacters = new RegExp(String.raw`[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n`);
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const authorityForm = /^(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._~-]+)(?::\d{1,5})?$/;

/**
 * Reads a request's head, from the request line to before the empty line, latin1. It takes what RFC
 * 9112 lets a sender send and refuses what it lets a recipient forgive: each leniency is a way for two
 * parsers in a row to see two different requests.
 */
export function parseRequestHead(text: string): RequestHead | RefusedHead {
  if (controlCharacters.test(text)) return refused(400, 'a control character in the head');
  const lineEnd = text.indexOf('\r\n');
  const line = lineEnd === -1 ? text : text.slice(0, lineEnd);
  const firstSpace = line.indexOf(' ');
  const lastSpace = line.lastIndexOf(' ');
  if (firstSpace <= 0 || lastSpace === firstSpace)
    return refused(400, 'the request line is broken');
  const method = line.slice(0, firstSpace);
  const version = line.slice(lastSpace + 1);
  if (version !== 'HTTP/1.1' && version !== 'HTTP/1.0') {
    return /^HTTP\/\d\.\d$/.test(version)
      ? refused(505, `version ${version} is not HTTP/1.1`)
      : refused(400, 'the request line is broken');
  }
  if (method.length > 32 || !token.test(method)) return refused(400, 'the method is no token');
  const fields = parseFields(text, lineEnd);
  if (typeof fields === 'string') return refused(400, fields);
  return completed({ method, rawTarget: line.slice(firstSpace + 1, lastSpace), fields, version });
}

function parseFields(text: string, lineEnd: number): HeaderFields | string {
  const fields: HeaderField[] = [];
  for (let at = lineEnd; at !== -1;) {
    const from = at + 2;
    at = text.indexOf('\r\n', from);
    const end = at === -1 ? text.length : at;
    const colon = text.indexOf(':', from);
    if (colon === -1 || colon > end) return 'a header line without a colon';
    const name = text.slice(from, colon);
    // Refuses also white space before the colon and folded lines (RFC 9112 §5.1, §5.2).
    if (!token.test(name)) return 'a header name that is no token';
    fields.push([name.toLowerCase(), text.slice(colon + 1, end).trim()]);
  }
  return fields;
}

function completed(head: {
  readonly method: string;
  readonly rawTarget: string;
  readonly fields: HeaderFields;
  readonly version: string;
}): RequestHead | RefusedHead {
  let host: string | undefined;
  let length: string | undefined;
  let encoding: string | undefined;
  let connection = '';
  let expectsContinue = false;
  for (const [name, value] of head.fields) {
    if (name === 'host') {
      if (host !== undefined) return refused(400, 'two Host lines');
      host = value;
    } else if (name === 'content-length') {
      if (length !== undefined) return refused(400, 'two Content-Length lines');
      length = value;
    } else if (name === 'transfer-encoding') {
      if (encoding !== undefined) return refused(400, 'two Transfer-Encoding lines');
      encoding = value;
    } else if (name === 'connection') connection = `${connection},${value.toLowerCase()}`;
    else if (name === 'expect') expectsContinue = value.toLowerCase() === '100-continue';
  }
  const modern = head.version === 'HTTP/1.1';
  if (host === undefined && modern) return refused(400, 'no Host line');
  const body = bodyOf({ length, encoding, modern });
  if (body.kind === 'refused') return body;
  const place = placeOf(head.rawTarget, host ?? '', head.method);
  if (place.kind === 'refused') return place;
  const options = new Set(connection.split(',').map((option) => option.trim()));
  return {
    kind: 'request',
    method: head.method,
    target: place.target,
    authority: place.authority,
    fields: head.fields,
    body,
    keepAlive: modern ? !options.has('close') : options.has('keep-alive'),
    expectsContinue: expectsContinue && modern,
    modern,
  };
}

function bodyOf(framing: {
  readonly length: string | undefined;
  readonly encoding: string | undefined;
  readonly modern: boolean;
}): RequestBody | RefusedHead {
  const { length, encoding, modern } = framing;
  if (encoding !== undefined) {
    // RFC 9112 §6.1: both at once is how requests are smuggled.
    if (length !== undefined) return refused(400, 'Content-Length beside Transfer-Encoding');
    if (!modern) return refused(400, 'Transfer-Encoding in HTTP/1.0');
    if (encoding.toLowerCase() !== 'chunked') return refused(501, 'a transfer coding but chunked');
    return { kind: 'chunked' };
  }
  if (length === undefined) return noBody;
  if (!/^\d{1,15}$/.test(length)) return refused(400, 'Content-Length is no number');
  return Number(length) === 0 ? noBody : { kind: 'length', bytes: Number(length) };
}

function placeOf(
  target: string,
  host: string,
  method: string,
): RefusedHead | { readonly kind: 'place'; readonly target: string; readonly authority: string } {
  if (host !== '' && !authorityForm.test(host)) return refused(400, 'Host is no host');
  if (target.startsWith('/')) {
    // A fragment or white space never belongs here; a backslash is a slash to some origins.
    if (/[\s#\\]/.test(target)) return refused(400, 'the target holds white space, # or \\');
    return { kind: 'place', target, authority: host.toLowerCase() };
  }
  if (target === '*' && method === 'OPTIONS') {
    return { kind: 'place', target, authority: host.toLowerCase() };
  }
  const absolute = /^https?:\/\/([^/?#\s\\]+)(\/[^#\s\\]*)?$/i.exec(target);
  if (absolute === null || !authorityForm.test(absolute[1] ?? '')) {
    return refused(400, 'the target is no path');
  }
  return {
    kind: 'place',
    target: absolute[2] ?? '/',
    authority: (absolute[1] ?? '').toLowerCase(),
  };
}

function refused(status: RefusedHead['status'], reason: string): RefusedHead {
  return { kind: 'refused', status, reason };
}
