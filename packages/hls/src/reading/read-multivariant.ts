import type { EncryptionKey, PlaylistStart } from '../playlist/media-playlist.ts';
import type {
  ContentSteering,
  MultivariantPlaylist,
  Rendition,
  SessionData,
  Variant,
} from '../playlist/multivariant-playlist.ts';
import { defined } from '@tapline/base';
import { readDefinition, readKey, readStart, readVersion, type TagContext } from './shared-tags.ts';
import { TagAttributes } from './tag-attributes.ts';
import type { TagLine } from './tag-line.ts';

const mediaTags: ReadonlySet<string> = new Set([
  'EXTINF',
  'EXT-X-TARGETDURATION',
  'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-ENDLIST',
  'EXT-X-PART',
  'EXT-X-PART-INF',
]);

type Announced = Omit<Variant, 'uri'>;

/** Reads the lines of a multivariant playlist after its first. */
export function readMultivariant(
  lines: Iterable<TagLine>,
  context: TagContext,
): MultivariantPlaylist {
  const { reading, variables } = context;
  const variants: Variant[] = [];
  const renditions: Rendition[] = [];
  const sessionKeys: EncryptionKey[] = [];
  const sessionData: SessionData[] = [];
  let version = 1;
  let independentSegments = false;
  let start: PlaylistStart | undefined;
  let contentSteering: ContentSteering | undefined;
  let announced: Announced | undefined;

  function readTag(tag: Extract<TagLine, { kind: 'tag' }>): void {
    const attributes = (): TagAttributes => {
      reading.countEntry();
      return new TagAttributes(tag, context);
    };
    switch (tag.name) {
      case 'EXT-X-VERSION':
        version = readVersion(tag.value, reading);
        return;
      case 'EXT-X-INDEPENDENT-SEGMENTS':
        independentSegments = true;
        return;
      case 'EXT-X-START':
        start = readStart(attributes());
        return;
      case 'EXT-X-DEFINE':
        readDefinition(attributes(), context);
        return;
      case 'EXT-X-STREAM-INF':
        announced = readVariant(attributes(), { iFrames: false });
        return;
      case 'EXT-X-I-FRAME-STREAM-INF': {
        const list = attributes();
        const uri = list.requiredString('URI');
        const variant = readVariant(list, { iFrames: true });
        if (uri !== undefined) variants.push({ uri, ...variant });
        return;
      }
      case 'EXT-X-MEDIA':
        push(renditions, readRendition(attributes()));
        return;
      case 'EXT-X-SESSION-KEY':
        push(sessionKeys, readKey(attributes()));
        return;
      case 'EXT-X-SESSION-DATA':
        push(sessionData, readSessionData(attributes()));
        return;
      case 'EXT-X-CONTENT-STEERING':
        contentSteering = readSteering(attributes());
        return;
      default:
        if (mediaTags.has(tag.name)) {
          reading.fail('kind-mixed', `${tag.name} stands in a multivariant playlist`);
        }
    }
  }

  for (const line of lines) {
    reading.line = line.line;
    // RFC 8216bis §4.4.6.2: the URI is the next line.
    if (announced !== undefined && line.kind === 'tag') {
      reading.fail('tag-without-uri', `EXT-X-STREAM-INF is followed by ${line.name}, not by a URI`);
      announced = undefined;
    }
    if (line.kind === 'tag') {
      readTag(line);
    } else if (announced === undefined) {
      const message = `${line.text.slice(0, 80)} has no EXT-X-STREAM-INF before it`;
      reading.fail('uri-without-tag', message);
    } else {
      variants.push({ uri: variables.replace(line.text, reading), ...announced });
      announced = undefined;
    }
  }
  if (announced !== undefined) {
    reading.fail('tag-without-uri', 'the last EXT-X-STREAM-INF has no URI after it');
  }
  return {
    kind: 'multivariant',
    version,
    independentSegments,
    variants,
    renditions,
    sessionKeys,
    sessionData,
    variables: variables.all(),
    ...defined({ start, contentSteering }),
  };
}

function readVariant(
  attributes: TagAttributes,
  { iFrames }: { readonly iFrames: boolean },
): Announced {
  const codecs = attributes.string('CODECS') ?? '';
  return {
    iFrames,
    bandwidth: attributes.requiredInteger('BANDWIDTH') ?? 0,
    codecs: codecs
      .split(',')
      .map((codec) => codec.trim())
      .filter((codec) => codec !== ''),
    ...defined({
      averageBandwidth: attributes.integer('AVERAGE-BANDWIDTH'),
      resolution: attributes.resolution('RESOLUTION'),
      frameRate: attributes.decimal('FRAME-RATE'),
      videoRange: attributes.word('VIDEO-RANGE'),
      hdcpLevel: attributes.word('HDCP-LEVEL'),
      score: attributes.decimal('SCORE'),
      pathwayId: attributes.string('PATHWAY-ID'),
      stableId: attributes.string('STABLE-VARIANT-ID'),
      audio: attributes.string('AUDIO'),
      video: attributes.string('VIDEO'),
      subtitles: attributes.string('SUBTITLES'),
      closedCaptions: attributes.isQuoted('CLOSED-CAPTIONS')
        ? attributes.string('CLOSED-CAPTIONS')
        : attributes.word('CLOSED-CAPTIONS'),
    }),
  };
}

function readRendition(attributes: TagAttributes): Rendition | undefined {
  const type = attributes.oneOf('TYPE', ['AUDIO', 'VIDEO', 'SUBTITLES', 'CLOSED-CAPTIONS']);
  const groupId = attributes.requiredString('GROUP-ID');
  const name = attributes.requiredString('NAME');
  if (type === undefined || groupId === undefined || name === undefined) return undefined;
  return {
    type,
    groupId,
    name,
    isDefault: attributes.flag('DEFAULT'),
    autoselect: attributes.flag('AUTOSELECT'),
    forced: attributes.flag('FORCED'),
    ...defined({
      uri: attributes.string('URI'),
      language: attributes.string('LANGUAGE'),
      instreamId: attributes.string('INSTREAM-ID'),
      channels: attributes.string('CHANNELS'),
      characteristics: attributes.string('CHARACTERISTICS'),
      stableId: attributes.string('STABLE-RENDITION-ID'),
    }),
  };
}

function readSessionData(attributes: TagAttributes): SessionData | undefined {
  const dataId = attributes.requiredString('DATA-ID');
  if (dataId === undefined) return undefined;
  return {
    dataId,
    ...defined({
      value: attributes.string('VALUE'),
      uri: attributes.string('URI'),
      language: attributes.string('LANGUAGE'),
    }),
  };
}

function readSteering(attributes: TagAttributes): ContentSteering | undefined {
  const serverUri = attributes.requiredString('SERVER-URI');
  if (serverUri === undefined) return undefined;
  return { serverUri, ...defined({ pathwayId: attributes.string('PATHWAY-ID') }) };
}

function push<T>(list: T[], item: T | undefined): void {
  if (item !== undefined) list.push(item);
}
