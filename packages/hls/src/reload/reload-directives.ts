import { TaplineError } from '@tapline/base';
import { parseInteger } from '../reading/parse-number.ts';
import { queryParameters } from '../reading/query-parameters.ts';

/** What a client asks of a playlist beyond its address (RFC 8216bis §6.2.5). */
export interface ReloadDirectives {
  /** `_HLS_msn`: answer when this segment is there, or part `part` of it. */
  readonly msn?: number;
  /** `_HLS_part`. */
  readonly part?: number;
  /** `_HLS_skip`: a delta update will do; v2 may leave out dates, too. */
  readonly skip?: 'YES' | 'v2';
}

/**
 * Reads the directives of a playlist's address. Throws `reload_invalid`, which is answered by 400.
 * A value of `_HLS_skip` that is not known is no directive: the whole playlist is always right.
 */
export function parseReloadDirectives(url: string): ReloadDirectives {
  const query = queryParameters(url);
  const msn = numberOf(query, '_HLS_msn');
  const part = numberOf(query, '_HLS_part');
  const skip = query.get('_HLS_skip');
  if (part !== undefined && msn === undefined) {
    throw new TaplineError('reload_invalid', `_HLS_part=${part} needs _HLS_msn`);
  }
  return {
    ...(msn !== undefined && { msn }),
    ...(part !== undefined && { part }),
    ...((skip === 'YES' || skip === 'v2') && { skip }),
  };
}

/**
 * `url` with these directives in place of those it has, in the order that RFC 8216bis §6.2.5 asks
 * clients for, so that a cache sees one address for one question.
 */
export function withReloadDirectives(url: string, directives: ReloadDirectives): string {
  const [address = '', ...fragments] = url.split('#');
  const [path = '', ...queries] = address.split('?');
  const kept = queries
    .join('?')
    .split('&')
    .filter((pair) => pair !== '' && !/^_HLS_(?:msn|part|skip)(?:=|$)/.test(pair));
  const { msn, part, skip } = directives;
  if (msn !== undefined) kept.push(`_HLS_msn=${msn}`);
  if (part !== undefined) kept.push(`_HLS_part=${part}`);
  if (skip !== undefined) kept.push(`_HLS_skip=${skip}`);
  const query = kept.length === 0 ? '' : `?${kept.join('&')}`;
  const fragment = fragments.length === 0 ? '' : `#${fragments.join('#')}`;
  return `${path}${query}${fragment}`;
}

function numberOf(query: ReadonlyMap<string, string>, name: string): number | undefined {
  const text = query.get(name);
  if (text === undefined) return undefined;
  const value = parseInteger(text);
  if (value === undefined) {
    const shown = JSON.stringify(text.slice(0, 40));
    throw new TaplineError('reload_invalid', `${name} must be a whole number, not ${shown}`);
  }
  return value;
}
