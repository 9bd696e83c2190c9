/** What is wrong with a playlist. Codes are stable; a player stumbles over an error. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  readonly code: FindingCode;
  readonly message: string;
  /** From 1; absent where no single line is to blame. */
  readonly line?: number;
}

/** Every code there is, with what it means. */
export const findingCodes = {
  'attribute-invalid': 'an attribute has a value that its tag does not allow',
  'attribute-missing': 'a tag lacks an attribute it needs',
  'attributes-malformed': 'an attribute list is no list of NAME=VALUE',
  'tag-invalid': 'a tag has a value that it does not allow',
  'tag-misplaced': 'a tag stands where it means nothing',
  'tag-repeated': 'a tag that may be there once is there again',
  'tag-missing': 'a tag that has to be there is missing',
  'variable-undefined': 'a URI uses a variable that is not defined',
  'uri-without-tag': 'a URI without the tag that says what it is',
  'tag-without-uri': 'a tag that the URI it announces does not follow',
  'kind-mixed': 'tags of a media playlist in a multivariant one, or the other way round',
  'findings-truncated': 'more is wrong than is reported',
  'version-too-low': 'a feature needs a higher EXT-X-VERSION',
  'duration-exceeds-target': 'a segment is longer than the target duration',
  'part-exceeds-target': 'a partial segment is longer than the part target',
  'part-too-short': 'a partial segment is shorter than 85 % of the part target',
  'parts-differ-from-segment': 'the parts of a segment do not add up to its duration',
  'parts-kept-too-long': 'partial segments further than three target durations from the end',
  'part-target-missing': 'partial segments without EXT-X-PART-INF',
  'hold-back-too-short': 'HOLD-BACK below three target durations',
  'part-hold-back-too-short': 'PART-HOLD-BACK below what the part target asks for',
  'part-hold-back-missing': 'partial segments without PART-HOLD-BACK',
  'skip-boundary-too-short': 'CAN-SKIP-UNTIL below six target durations',
  'skip-without-boundary': 'skipping without CAN-SKIP-UNTIL',
  'reload-not-blocking': 'low latency without CAN-BLOCK-RELOAD: clients have to poll',
  'hint-repeated': 'two preload hints of one type',
  'hint-after-end': 'a preload hint in a playlist that has ended',
  'live-too-short': 'a live playlist of less than three target durations',
  'no-segments': 'a playlist without a segment',
  'vod-without-end': 'a VOD playlist without EXT-X-ENDLIST',
  'date-time-jumps': 'program dates and durations tell different times',
  'no-variants': 'a multivariant playlist without a variant',
  'group-missing': 'a variant names a group of renditions that is not there',
  'rendition-repeated': 'two renditions of one group have one name',
  'default-repeated': 'two renditions of one group are the default',
  'codecs-missing': 'a variant does not say which codecs it needs',
  'rendition-without-uri': 'subtitles without a URI, or closed captions with one',
  'sequence-went-back': 'the media sequence number went down',
  'segment-changed': 'a segment is not what it was under the same number',
  'segment-lost': 'a segment is gone that must not be removed',
  'discontinuity-miscounted':
    'EXT-X-DISCONTINUITY-SEQUENCE does not count what the playlist dropped',
  'target-duration-changed': 'the target duration changed',
  'end-withdrawn': 'a playlist that had ended goes on',
  'not-updated': 'nothing new for longer than one and a half target durations',
} as const;

export type FindingCode = keyof typeof findingCodes;

/** A finding of severity error; `about` is put together with blanks. */
export function failure(code: FindingCode, message: string): Finding {
  return { severity: 'error', code, message };
}

/** A finding that players cope with, or that costs latency only. */
export function warning(code: FindingCode, message: string): Finding {
  return { severity: 'warning', code, message };
}
