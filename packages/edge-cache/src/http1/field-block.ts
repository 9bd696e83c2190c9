import type { HeaderField, HeaderFields } from '../rfc/header-fields.ts';
import { type RefusedHead, refusedHead } from './refused-head.ts';

/** What the field lines of a request say, whatever its request line is. */
export interface FieldBlock {
  readonly kind: 'block';
  readonly fields: HeaderFields;
  /** From `Host`, in lower case; undefined without that line. */
  readonly authority: string | undefined;
  readonly contentLength: string | undefined;
  readonly transferEncoding: string | undefined;
  /** Options of `Connection`. */
  readonly close: boolean;
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
}

// Built from text: a control character in a literal is taken for a slip.
export const controlCharacters: RegExp = new RegExp(
  String.raw`[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n`,
);
export const authorityForm: RegExp = /^(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._~-]+)(?::\d{1,5})?$/;
export const token: RegExp = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Reads the lines after the request line, without the empty one; undefined stands for no line. */
export function parseFieldBlock(text: string | undefined): FieldBlock | RefusedHead {
  if (text === undefined) return blockOf([]);
  if (controlCharacters.test(text)) return refusedHead(400, 'a control character in the head');
  const fields: HeaderField[] = [];
  let at = -2;
  do {
    const from = at + 2;
    at = text.indexOf('\r\n', from);
    const end = at === -1 ? text.length : at;
    const colon = text.indexOf(':', from);
    if (colon === -1 || colon > end) return refusedHead(400, 'a header line without a colon');
    const name = text.slice(from, colon);
    // Refuses also white space before the colon and folded lines (RFC 9112 §5.1, §5.2).
    if (!token.test(name)) return refusedHead(400, 'a header name that is no token');
    fields.push([name.toLowerCase(), text.slice(colon + 1, end).trim()]);
  } while (at !== -1);
  return blockOf(fields);
}

function blockOf(fields: HeaderFields): FieldBlock | RefusedHead {
  let host: string | undefined;
  let contentLength: string | undefined;
  let transferEncoding: string | undefined;
  let connection = '';
  let expectsContinue = false;
  for (const [name, value] of fields) {
    if (name === 'host') {
      if (host !== undefined) return refusedHead(400, 'two Host lines');
      host = value;
    } else if (name === 'content-length') {
      if (contentLength !== undefined) return refusedHead(400, 'two Content-Length lines');
      contentLength = value;
    } else if (name === 'transfer-encoding') {
      if (transferEncoding !== undefined) return refusedHead(400, 'two Transfer-Encoding lines');
      transferEncoding = value;
    } else if (name === 'connection') connection = `${connection},${value.toLowerCase()}`;
    else if (name === 'expect') expectsContinue = value.toLowerCase() === '100-continue';
  }
  if (host !== undefined && host !== '' && !authorityForm.test(host)) {
    return refusedHead(400, 'Host is no host');
  }
  const options = new Set(connection.split(',').map((option) => option.trim()));
  return {
    kind: 'block',
    fields,
    authority: host?.toLowerCase(),
    contentLength,
    transferEncoding,
    close: options.has('close'),
    keepAlive: options.has('keep-alive'),
    expectsContinue,
  };
}
