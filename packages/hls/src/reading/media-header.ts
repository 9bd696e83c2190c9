import type {
  DateRange,
  PlaylistStart,
  PreloadHint,
  RenditionReport,
  ServerControl,
  SkippedPart,
} from '../playlist/media-playlist.ts';
import { defined } from '@tapline/base';
import { parseInteger } from './parse-number.ts';
import { readDefinition, readStart, readVersion, type TagContext } from './shared-tags.ts';
import { TagAttributes } from './tag-attributes.ts';
import type { TagLine } from './tag-line.ts';

/** What is said of a media playlist as a whole. */
export interface MediaHeader {
  version: number;
  independentSegments: boolean;
  start?: PlaylistStart;
  targetDuration?: number;
  mediaSequence?: number;
  discontinuitySequence?: number;
  type?: 'EVENT' | 'VOD';
  ended: boolean;
  iFramesOnly: boolean;
  serverControl?: ServerControl;
  partTarget?: number;
  skipped?: SkippedPart;
  readonly preloadHints: PreloadHint[];
  readonly renditionReports: RenditionReport[];
  readonly dateRanges: DateRange[];
}

export function newMediaHeader(): MediaHeader {
  return {
    version: 1,
    independentSegments: false,
    ended: false,
    iFramesOnly: false,
    preloadHints: [],
    renditionReports: [],
    dateRanges: [],
  };
}

/** Reads a tag of the playlist as a whole; false where it is none. */
export function readHeaderTag(
  header: MediaHeader,
  tag: Extract<TagLine, { kind: 'tag' }>,
  context: TagContext,
): boolean {
  const { reading } = context;
  const attributes = (): TagAttributes => new TagAttributes(tag, context);
  switch (tag.name) {
    case 'EXT-X-VERSION':
      header.version = readVersion(tag.value, reading);
      return true;
    case 'EXT-X-INDEPENDENT-SEGMENTS':
      header.independentSegments = true;
      return true;
    case 'EXT-X-START':
      Object.assign(header, defined({ start: readStart(attributes()) }));
      return true;
    case 'EXT-X-DEFINE':
      readDefinition(attributes(), context);
      return true;
    case 'EXT-X-TARGETDURATION':
      setNumber(header, 'targetDuration', { tag, context });
      return true;
    case 'EXT-X-MEDIA-SEQUENCE':
      setNumber(header, 'mediaSequence', { tag, context });
      return true;
    case 'EXT-X-DISCONTINUITY-SEQUENCE':
      setNumber(header, 'discontinuitySequence', { tag, context });
      return true;
    case 'EXT-X-PLAYLIST-TYPE':
      if (tag.value === 'EVENT' || tag.value === 'VOD') header.type = tag.value;
      else reading.fail('tag-invalid', `${tag.name}:${tag.value.slice(0, 20)} is not EVENT or VOD`);
      return true;
    case 'EXT-X-ENDLIST':
      header.ended = true;
      return true;
    case 'EXT-X-I-FRAMES-ONLY':
      header.iFramesOnly = true;
      return true;
    case 'EXT-X-SERVER-CONTROL':
      header.serverControl = readServerControl(attributes());
      return true;
    case 'EXT-X-PART-INF':
      Object.assign(header, defined({ partTarget: attributes().requiredDecimal('PART-TARGET') }));
      return true;
    case 'EXT-X-SKIP':
      Object.assign(header, defined({ skipped: readSkip(attributes()) }));
      return true;
    case 'EXT-X-PRELOAD-HINT':
      push(header.preloadHints, readHint(attributes()), context);
      return true;
    case 'EXT-X-RENDITION-REPORT':
      push(header.renditionReports, readReport(attributes()), context);
      return true;
    case 'EXT-X-DATERANGE':
      push(header.dateRanges, readDateRange(attributes()), context);
      return true;
    default:
      return false;
  }
}

function setNumber(
  header: MediaHeader,
  field: 'targetDuration' | 'mediaSequence' | 'discontinuitySequence',
  about: { readonly tag: Extract<TagLine, { kind: 'tag' }>; readonly context: TagContext },
): void {
  const { tag, context } = about;
  const value = parseInteger(tag.value);
  if (value === undefined) {
    const shown = `${tag.name}:${tag.value.slice(0, 20)} must be a whole number`;
    context.reading.fail('tag-invalid', shown);
  } else if (header[field] !== undefined) {
    context.reading.fail('tag-repeated', `${tag.name} is there twice`);
  } else {
    header[field] = value;
  }
}

function readServerControl(attributes: TagAttributes): ServerControl {
  return {
    canBlockReload: attributes.flag('CAN-BLOCK-RELOAD'),
    canSkipDateRanges: attributes.flag('CAN-SKIP-DATERANGES'),
    ...defined({
      canSkipUntil: attributes.decimal('CAN-SKIP-UNTIL'),
      holdBack: attributes.decimal('HOLD-BACK'),
      partHoldBack: attributes.decimal('PART-HOLD-BACK'),
    }),
  };
}

function readSkip(attributes: TagAttributes): SkippedPart | undefined {
  const segments = attributes.requiredInteger('SKIPPED-SEGMENTS');
  if (segments === undefined) return undefined;
  const removed = attributes.string('RECENTLY-REMOVED-DATERANGES') ?? '';
  return { segments, removedDateRanges: removed === '' ? [] : removed.split('\t') };
}

function readHint(attributes: TagAttributes): PreloadHint | undefined {
  const type = attributes.oneOf('TYPE', ['PART', 'MAP']);
  const uri = attributes.requiredString('URI');
  if (type === undefined || uri === undefined) return undefined;
  const start = attributes.integer('BYTERANGE-START') ?? 0;
  return { type, uri, start, ...defined({ length: attributes.integer('BYTERANGE-LENGTH') }) };
}

function readReport(attributes: TagAttributes): RenditionReport | undefined {
  const uri = attributes.requiredString('URI');
  if (uri === undefined) return undefined;
  return {
    uri,
    ...defined({
      lastMsn: attributes.integer('LAST-MSN'),
      lastPart: attributes.integer('LAST-PART'),
    }),
  };
}

function readDateRange(attributes: TagAttributes): DateRange | undefined {
  const id = attributes.requiredString('ID');
  return id === undefined ? undefined : { id, attributes: attributes.raw() };
}

function push<T>(list: T[], item: T | undefined, { reading }: TagContext): void {
  reading.countEntry();
  if (item !== undefined) list.push(item);
}
