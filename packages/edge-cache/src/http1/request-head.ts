import type { HeaderFields } from '../rfc/header-fields.ts';
import {
  authorityForm,
  controlCharacters,
  type FieldBlock,
  parseFieldBlock,
  token,
} from './field-block.ts';
import { type RefusedHead, refusedHead } from './refused-head.ts';

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

const noBody: RequestBody = { kind: 'none' };

/**
 * Reads a request's head, from the request line to before the empty line, latin1. It takes what RFC
 * 9112 lets a sender send and refuses what it lets a recipient forgive: each leniency is a way for two
 * parsers in a row to see two different requests.
 */
export function parseRequestHead(
  text: string,
  parseFields: (text: string | undefined) => FieldBlock | RefusedHead = parseFieldBlock,
): RequestHead | RefusedHead {
  const lineEnd = text.indexOf('\r\n');
  const line = lineEnd === -1 ? text : text.slice(0, lineEnd);
  const plain = plainTarget(line);
  if (plain !== undefined) {
    const block = parseFields(lineEnd === -1 ? undefined : text.slice(lineEnd + 2));
    if (block.kind === 'refused') return block;
    return completed(block, { method: 'GET', modern: true, target: plain, plain: true });
  }
  if (controlCharacters.test(line)) return refusedHead(400, 'a control character in the head');
  const firstSpace = line.indexOf(' ');
  const lastSpace = line.lastIndexOf(' ');
  if (firstSpace <= 0 || lastSpace === firstSpace)
    return refusedHead(400, 'the request line is broken');
  const method = line.slice(0, firstSpace);
  const version = line.slice(lastSpace + 1);
  if (version !== 'HTTP/1.1' && version !== 'HTTP/1.0') {
    return /^HTTP\/\d\.\d$/.test(version)
      ? refusedHead(505, `version ${version} is not HTTP/1.1`)
      : refusedHead(400, 'the request line is broken');
  }
  if (method.length > 32 || !token.test(method)) return refusedHead(400, 'the method is no token');
  const block = parseFields(lineEnd === -1 ? undefined : text.slice(lineEnd + 2));
  if (block.kind === 'refused') return block;
  const target = line.slice(firstSpace + 1, lastSpace);
  return completed(block, { method, target, modern: version === 'HTTP/1.1', plain: false });
}

const plainStart = 'GET ';
const plainEnd = ' HTTP/1.1';

/**
 * The path of a line that needs no closer look, which nearly all are: GET in HTTP/1.1, and of visible
 * ASCII without `#` and `\\`. A loop over it takes a fifth of the time of the expressions for the rest.
 */
function plainTarget(line: string): string | undefined {
  if (!line.startsWith(plainStart) || !line.endsWith(plainEnd)) return undefined;
  const end = line.length - plainEnd.length;
  if (line.charCodeAt(plainStart.length) !== slash) return undefined;
  for (let at = plainStart.length; at < end; at += 1) {
    const code = line.charCodeAt(at);
    if (code <= space || code > tilde || code === hash || code === backslash) return undefined;
  }
  return line.slice(plainStart.length, end);
}

const space = 0x20;
const hash = 0x23;
const slash = 0x2f;
const backslash = 0x5c;
const tilde = 0x7e;

function completed(
  block: FieldBlock,
  {
    method,
    target,
    modern,
    plain,
  }: {
    readonly method: string;
    readonly target: string;
    readonly modern: boolean;
    /** The target was looked at and is a path. */
    readonly plain: boolean;
  },
): RequestHead | RefusedHead {
  const { authority } = block;
  if (authority === undefined && modern) return refusedHead(400, 'no Host line');
  const body = bodyOf(block, modern);
  if (body.kind === 'refused') return body;
  const place = plain
    ? ({ kind: 'place', target, authority: authority ?? '' } as const)
    : placeOf(target, authority ?? '', method);
  if (place.kind === 'refused') return place;
  return {
    kind: 'request',
    method,
    target: place.target,
    authority: place.authority,
    fields: block.fields,
    body,
    keepAlive: modern ? !block.close : block.keepAlive,
    expectsContinue: block.expectsContinue && modern,
    modern,
  };
}

function bodyOf(
  { contentLength: length, transferEncoding: encoding }: FieldBlock,
  modern: boolean,
): RequestBody | RefusedHead {
  if (encoding !== undefined) {
    // RFC 9112 §6.1: both at once is how requests are smuggled.
    if (length !== undefined) return refusedHead(400, 'Content-Length beside Transfer-Encoding');
    if (!modern) return refusedHead(400, 'Transfer-Encoding in HTTP/1.0');
    if (encoding.toLowerCase() !== 'chunked')
      return refusedHead(501, 'a transfer coding but chunked');
    return { kind: 'chunked' };
  }
  if (length === undefined) return noBody;
  if (!/^\d{1,15}$/.test(length)) return refusedHead(400, 'Content-Length is no number');
  return Number(length) === 0 ? noBody : { kind: 'length', bytes: Number(length) };
}

function placeOf(
  target: string,
  authority: string,
  method: string,
): RefusedHead | { readonly kind: 'place'; readonly target: string; readonly authority: string } {
  if (target.startsWith('/')) {
    // A fragment or white space never belongs here; a backslash is a slash to some origins.
    if (/[\s#\\]/.test(target)) return refusedHead(400, 'the target holds white space, # or \\');
    return { kind: 'place', target, authority };
  }
  if (target === '*' && method === 'OPTIONS') {
    return { kind: 'place', target, authority };
  }
  const absolute = /^https?:\/\/([^/?#\s\\]+)(\/[^#\s\\]*)?$/i.exec(target);
  if (absolute === null || !authorityForm.test(absolute[1] ?? '')) {
    return refusedHead(400, 'the target is no path');
  }
  return {
    kind: 'place',
    target: absolute[2] ?? '/',
    authority: (absolute[1] ?? '').toLowerCase(),
  };
}
