import type { ChannelSettings } from './channel-settings.ts';

/** Query parameters of LL-HLS delivery (RFC 8216bis §6.2.5), in the order of the key. */
const directives = ['_HLS_msn', '_HLS_part', '_HLS_push', '_HLS_skip'] as const;

/**
 * The target as it goes into the key and to the origin: `_HLS_` directives in one order, so that two
 * players that write them differently share an answer. Everything else stays byte for byte, because
 * only the origin knows what is equal to it.
 */
export function canonicalTarget(target: string): string {
  const mark = target.indexOf('?');
  if (mark === -1 || !target.includes('_HLS_', mark)) return target;
  const query = target.slice(mark + 1);
  if (wellFormed.test(query)) return target;
  const parameters = query.split('&');
  const others = parameters.filter((parameter) => !isDirective(parameter));
  const ordered = parameters
    .filter(isDirective)
    .toSorted((one, other) => directiveIndex(one) - directiveIndex(other));
  return `${target.slice(0, mark)}?${[...others, ...ordered].join('&')}`;
}

/** What the origin is asked for: edges ask each other for the target as it is. */
export function originTarget(
  { prefix, stripPrefix }: Pick<ChannelSettings, 'prefix' | 'stripPrefix'>,
  target: string,
): string {
  return stripPrefix && target.startsWith(prefix) ? target.slice(prefix.length - 1) : target;
}

/** Whether the origin holds its answer until there is something new. */
export function isBlockingReload(target: string): boolean {
  const mark = target.indexOf('?');
  return mark !== -1 && /[?&]_HLS_msn=/.test(target.slice(mark));
}

/** What players send, without anything else: five hundred at once are not each taken apart. */
const wellFormed = /^_HLS_msn=\d{1,15}(?:&_HLS_part=\d{1,15})?$/;

/** Whether a blocking request breaks RFC 8216bis §6.2.5.2: answered 400 without asking the origin. */
export function brokenBlockingReload(target: string): string | undefined {
  const mark = target.indexOf('?');
  if (mark === -1 || !target.includes('_HLS_', mark)) return undefined;
  if (wellFormed.test(target.slice(mark + 1))) return undefined;
  const query = new URLSearchParams(target.slice(mark + 1));
  const [sequence, part] = [query.getAll('_HLS_msn'), query.getAll('_HLS_part')];
  if (sequence.length > 1 || part.length > 1) return '_HLS_msn and _HLS_part go once';
  if (part.length === 1 && sequence.length === 0) return '_HLS_part goes with _HLS_msn';
  for (const number of [...sequence, ...part]) {
    if (!/^\d{1,15}$/.test(number))
      return `${number.slice(0, 40)} is no number of a segment or part`;
  }
  return undefined;
}

/** What a path is to a player, by its ending. */
export function kindOfTarget(target: string): 'playlist' | 'segment' | 'other' {
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  if (/\.m3u8$/i.test(path)) return 'playlist';
  return /\.(?:ts|m4s|mp4|cmfv|cmfa|m4a|m4v|aac|vtt|webvtt)$/i.test(path) ? 'segment' : 'other';
}

function directiveIndex(parameter: string): number {
  const equals = parameter.indexOf('=');
  const name = equals === -1 ? parameter : parameter.slice(0, equals);
  return directives.findIndex((directive) => directive === name);
}

function isDirective(parameter: string): boolean {
  return directiveIndex(parameter) !== -1;
}
