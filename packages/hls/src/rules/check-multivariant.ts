import { failure, type Finding, warning } from '../playlist/finding.ts';
import type { MultivariantPlaylist, Rendition } from '../playlist/multivariant-playlist.ts';

/** The rules for variants and groups of renditions. */
export function checkMultivariant(playlist: MultivariantPlaylist): readonly Finding[] {
  const { variants, renditions } = playlist;
  const findings: Finding[] = [];
  if (variants.length === 0) {
    findings.push(failure('no-variants', 'the playlist has no EXT-X-STREAM-INF'));
  }
  const groups = new Set(renditions.map(groupKey));
  for (const variant of variants) {
    const named = [
      ['AUDIO', variant.audio],
      ['VIDEO', variant.video],
      ['SUBTITLES', variant.subtitles],
      // NONE says that there are none.
      ['CLOSED-CAPTIONS', variant.closedCaptions === 'NONE' ? undefined : variant.closedCaptions],
    ] as const;
    for (const [type, groupId] of named) {
      if (groupId === undefined || groups.has(groupKey({ type, groupId }))) continue;
      const message = `${variant.uri}: there is no ${type} group "${groupId}"`;
      findings.push(failure('group-missing', message));
    }
    if (variant.codecs.length === 0) {
      findings.push(warning('codecs-missing', `${variant.uri} has no CODECS`));
    }
  }
  return [...findings, ...checkRenditions(renditions)];
}

function checkRenditions(renditions: readonly Rendition[]): readonly Finding[] {
  const findings: Finding[] = [];
  const names = new Set<string>();
  const defaults = new Set<string>();
  for (const rendition of renditions) {
    const { type, groupId, name, isDefault, uri } = rendition;
    const group = groupKey(rendition);
    const whole = `${group}\n${name}`;
    if (names.has(whole)) {
      const message = `${type} group "${groupId}" has "${name}" twice`;
      findings.push(failure('rendition-repeated', message));
    }
    names.add(whole);
    if (isDefault && defaults.has(group)) {
      const message = `${type} group "${groupId}" has two defaults, the second is "${name}"`;
      findings.push(failure('default-repeated', message));
    }
    if (isDefault) defaults.add(group);
    if (
      type === 'SUBTITLES' ? uri === undefined : type === 'CLOSED-CAPTIONS' && uri !== undefined
    ) {
      const message = `${type} "${name}" ${uri === undefined ? 'has no' : 'must have no'} URI`;
      findings.push(failure('rendition-without-uri', message));
    }
  }
  return findings;
}

function groupKey({ type, groupId }: Pick<Rendition, 'type' | 'groupId'>): string {
  return `${type}\n${groupId}`;
}
