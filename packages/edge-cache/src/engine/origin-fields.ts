import type { HeaderField, HeaderFields } from '../rfc/header-fields.ts';
import { fieldLines } from '../rfc/header-fields.ts';
import { withoutHopByHop } from '../rfc/hop-by-hop.ts';

/**
 * Fields by which some origins choose what they answer although no key shows it: with them one client
 * could decide what all others get. Never forwarded.
 */
const dangerous: ReadonlySet<string> = new Set([
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-path',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-proto',
  'x-forwarded-protocol',
  'x-forwarded-scheme',
  'x-forwarded-server',
  'x-forwarded-ssl',
  'x-host',
  'x-http-host-override',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-original-host',
  'x-original-url',
  'x-real-ip',
  'x-rewrite-url',
  'x-url-scheme',
]);

/** Set by this cache itself, or answered by it. */
const own: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'expect',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
  'via',
  'cdn-loop',
  'surrogate-capability',
]);

export interface OriginFieldsInput {
  readonly fields: HeaderFields;
  readonly host: string;
  readonly cacheName: string;
  /** Which fields a request that may be answered from the cache carries on. */
  readonly forwarded: readonly string[] | 'all';
  /** What the cache asks itself: conditions, a range. */
  readonly asked: HeaderFields;
}

/** The fields of a request to the origin whose answer may be kept. */
export function originFields(input: OriginFieldsInput): HeaderFields {
  const { forwarded } = input;
  const passes = (name: string): boolean => forwarded === 'all' || forwarded.includes(name);
  return framed(
    input,
    withoutHopByHop(input.fields).filter(
      ([name]) => passes(name) && !dangerous.has(name) && !own.has(name),
    ),
  );
}

/** The fields of a request that only passes through. */
export function passedFields(input: Omit<OriginFieldsInput, 'forwarded'>): HeaderFields {
  const kept = new Set(['host', 'via', 'cdn-loop', 'expect', 'content-length']);
  return framed(
    input,
    withoutHopByHop(input.fields).filter(([name]) => !dangerous.has(name) && !kept.has(name)),
  );
}

function framed(
  { host, fields, cacheName, asked }: Omit<OriginFieldsInput, 'forwarded'>,
  middle: HeaderFields,
): HeaderFields {
  const chain = (name: string, entry: string): HeaderField => [
    name,
    [...fieldLines(fields, name), entry].join(', '),
  ];
  return [
    ['host', host],
    ...middle,
    ...asked,
    chain('via', `1.1 ${cacheName}`),
    // RFC 8586: lets an edge see a request that comes back to it.
    chain('cdn-loop', cacheName),
    ['surrogate-capability', `${cacheName}="Surrogate/1.0"`],
  ];
}
