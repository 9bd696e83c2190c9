import type {
  EncryptionKey,
  MediaMap,
  MediaPlaylist,
  MediaSegment,
  PartialSegment,
} from '../playlist/media-playlist.ts';
import { defined } from '@tapline/base';
import { newMediaHeader, readHeaderTag } from './media-header.ts';
import { parseByteRange } from './parse-byte-range.ts';
import { parseDecimal, parseInteger } from './parse-number.ts';
import { type Carried, completeRange, finishSegment, newSegmentDraft } from './segment-draft.ts';
import { readKey, type TagContext } from './shared-tags.ts';
import { TagAttributes } from './tag-attributes.ts';
import type { TagLine } from './tag-line.ts';

const multivariantTags: ReadonlySet<string> = new Set([
  'EXT-X-STREAM-INF',
  'EXT-X-MEDIA',
  'EXT-X-I-FRAME-STREAM-INF',
  'EXT-X-SESSION-DATA',
  'EXT-X-SESSION-KEY',
  'EXT-X-CONTENT-STEERING',
]);

/** Reads the lines of a media playlist after its first. */
export function readMedia(lines: Iterable<TagLine>, context: TagContext): MediaPlaylist {
  const { reading, variables } = context;
  const header = newMediaHeader();
  const segments: MediaSegment[] = [];
  const carried: Carried = {};
  let draft = newSegmentDraft();
  let partEnd: Carried['rangeEnd'];

  function readSegmentTag(tag: Extract<TagLine, { kind: 'tag' }>): void {
    const attributes = (): TagAttributes => new TagAttributes(tag, context);
    switch (tag.name) {
      case 'EXTINF': {
        const comma = tag.value.indexOf(',');
        const text = (comma === -1 ? tag.value : tag.value.slice(0, comma)).trim();
        const duration = parseDecimal(text);
        if (duration === undefined) {
          reading.fail('tag-invalid', `EXTINF:${text.slice(0, 20)} must be seconds of at least 0`);
        }
        draft.duration = duration ?? 0;
        draft.title = comma === -1 ? '' : tag.value.slice(comma + 1).trim();
        return;
      }
      case 'EXT-X-BYTERANGE': {
        const range = parseByteRange(tag.value);
        if (range === undefined) {
          reading.fail('tag-invalid', `${tag.name}:${tag.value.slice(0, 40)} is no range n@o`);
        } else {
          draft.range = range;
        }
        return;
      }
      case 'EXT-X-DISCONTINUITY':
        draft.discontinuity = true;
        return;
      case 'EXT-X-GAP':
        draft.gap = true;
        return;
      case 'EXT-X-PROGRAM-DATE-TIME': {
        const at = parseDateTime(tag.value);
        if (at === undefined) {
          reading.fail('tag-invalid', `${tag.name}:${tag.value.slice(0, 40)} is no date and time`);
        } else {
          draft.programDateTime = at;
        }
        return;
      }
      case 'EXT-X-BITRATE': {
        const bitrate = parseInteger(tag.value);
        if (bitrate === undefined) {
          reading.fail('tag-invalid', `${tag.name}:${tag.value.slice(0, 20)} is no whole number`);
        } else {
          carried.bitrate = bitrate;
        }
        return;
      }
      case 'EXT-X-MAP':
        Object.assign(carried, defined({ map: readMap(attributes(), context) }));
        return;
      case 'EXT-X-KEY': {
        reading.countEntry();
        const key = readKey(attributes());
        if (key !== undefined) carried.keys = withKey(carried.keys, key);
        return;
      }
      case 'EXT-X-PART': {
        const part = readPart(attributes(), { context, end: partEnd });
        if (part === undefined) return;
        draft.parts.push(part);
        partEnd = rangeEnd(part);
        return;
      }
      default:
        if (multivariantTags.has(tag.name)) {
          reading.fail('kind-mixed', `${tag.name} stands in a media playlist`);
        }
      // Tags that are not known are to be ignored (RFC 8216bis §6.3.1).
    }
  }

  for (const line of lines) {
    reading.line = line.line;
    if (line.kind === 'tag') {
      if (!readHeaderTag(header, line, context)) readSegmentTag(line);
      continue;
    }
    const uri = variables.replace(line.text, reading);
    if (draft.duration === undefined) {
      reading.fail('uri-without-tag', `${uri.slice(0, 80)} has no EXTINF before it`);
    }
    reading.countEntry();
    const first = (header.mediaSequence ?? 0) + (header.skipped?.segments ?? 0);
    const segment = finishSegment(draft, { msn: first + segments.length, uri, carried });
    segments.push(segment);
    carried.rangeEnd = rangeEnd(segment);
    draft = newSegmentDraft();
  }

  if (draft.duration !== undefined) {
    reading.fail('tag-without-uri', 'the last EXTINF has no URI after it');
  }
  if (header.targetDuration === undefined) {
    reading.fail('tag-missing', 'EXT-X-TARGETDURATION is missing');
  }
  return {
    kind: 'media',
    ...header,
    targetDuration: header.targetDuration ?? 0,
    mediaSequence: header.mediaSequence ?? 0,
    discontinuitySequence: header.discontinuitySequence ?? 0,
    segments,
    parts: draft.parts,
  };
}

function readMap(attributes: TagAttributes, { reading }: TagContext): MediaMap | undefined {
  const uri = attributes.requiredString('URI');
  const text = attributes.string('BYTERANGE');
  if (uri === undefined) return undefined;
  if (text === undefined) return { uri };
  const range = parseByteRange(text);
  if (range === undefined) {
    reading.fail('attribute-invalid', `EXT-X-MAP: BYTERANGE=${text.slice(0, 40)} is no range n@o`);
    return { uri };
  }
  return { uri, byteRange: { length: range.length, offset: range.offset ?? 0 } };
}

function readPart(
  attributes: TagAttributes,
  about: { readonly context: TagContext; readonly end: Carried['rangeEnd'] },
): PartialSegment | undefined {
  const { reading } = about.context;
  reading.countEntry();
  const uri = attributes.requiredString('URI');
  const duration = attributes.requiredDecimal('DURATION');
  const text = attributes.string('BYTERANGE');
  if (uri === undefined || duration === undefined) return undefined;
  const range = text === undefined ? undefined : parseByteRange(text);
  if (text !== undefined && range === undefined) {
    reading.fail('attribute-invalid', `EXT-X-PART: BYTERANGE=${text.slice(0, 40)} is no range n@o`);
  }
  return {
    uri,
    duration,
    independent: attributes.flag('INDEPENDENT'),
    gap: attributes.flag('GAP'),
    ...(range && { byteRange: completeRange(range, { uri, end: about.end }) }),
  };
}

function rangeEnd(
  of: Pick<MediaSegment | PartialSegment, 'uri' | 'byteRange'>,
): Carried['rangeEnd'] {
  const { uri, byteRange } = of;
  return byteRange && { uri, at: byteRange.offset + byteRange.length };
}

/** Keys of several formats hold together; one of the same format replaces, NONE ends them all. */
function withKey(
  keys: readonly EncryptionKey[] | undefined,
  key: EncryptionKey,
): readonly EncryptionKey[] {
  if (key.method === 'NONE') return [];
  return [...(keys ?? []).filter(({ keyFormat }) => keyFormat !== key.keyFormat), key];
}

// ISO 8601 as RFC 8216bis §4.4.4.6 writes it; an offset without a colon is FFmpeg's.
const dateTimeForm = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,12})?(?:(Z)|([+-]\d\d):?(\d\d)?)?$/;

function parseDateTime(text: string): number | undefined {
  const match = dateTimeForm.exec(text.trim());
  if (match === null) return undefined;
  const [, time = '', fraction = '', , hours, minutes = '00'] = match;
  const zone = hours === undefined ? 'Z' : `${hours}:${minutes}`;
  const at = Date.parse(`${time}${fraction.slice(0, 4)}${zone}`);
  return Number.isNaN(at) ? undefined : at;
}
