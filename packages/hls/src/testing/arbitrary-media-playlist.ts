import fc from 'fast-check';
import type {
  EncryptionKey,
  MediaPlaylist,
  MediaSegment,
  PartialSegment,
} from '../playlist/media-playlist.ts';

const milliseconds = (max: number): fc.Arbitrary<number> =>
  fc.integer({ min: 1, max: max * 1000 }).map((value) => value / 1000);
const uri = fc
  .string({
    unit: fc.constantFrom('a', 'Z', '0', '-', '.', '~', '/', '?', '=', '&', '%', 'é'),
    minLength: 1,
    maxLength: 12,
  })
  .map((text) => `s${text}`);
const range = fc.record({ length: fc.nat(9999), offset: fc.nat(99_999) });

function maybe<T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(arbitrary, { nil: undefined });
}

/** Takes away what is undefined, as the reader leaves it out. */
function compact<T extends object>(value: T): T {
  return Object.fromEntries(
    Object.entries(value).filter(([, member]) => member !== undefined),
  ) as T;
}

const part: fc.Arbitrary<PartialSegment> = fc
  .record({
    uri,
    duration: milliseconds(1),
    independent: fc.boolean(),
    gap: fc.boolean(),
    byteRange: maybe(range),
  })
  .map((fields) => compact(fields) as PartialSegment);

const key: fc.Arbitrary<EncryptionKey> = fc
  .record({
    method: fc.constantFrom('AES-128', 'SAMPLE-AES'),
    uri,
    iv: maybe(fc.constantFrom('0x0a', '0xFF00')),
  })
  .map((fields) => compact(fields) as EncryptionKey);

interface Epoch {
  readonly map: { readonly uri: string } | undefined;
  readonly keys: readonly EncryptionKey[] | undefined;
  readonly segments: readonly Omit<MediaSegment, 'msn' | 'map' | 'keys'>[];
}

/** Segments between two changes of keys or initialisation sections. */
const epoch: fc.Arbitrary<Epoch> = fc.record({
  map: maybe(fc.record({ uri })),
  keys: maybe(
    fc.oneof(
      fc.constant([]),
      key.map((one) => [one]),
    ),
  ),
  segments: fc.array(
    fc
      .record({
        uri,
        duration: milliseconds(4),
        title: fc.constantFrom('', 'news, at nine'),
        discontinuity: fc.boolean(),
        gap: fc.boolean(),
        byteRange: maybe(range),
        programDateTime: maybe(fc.integer({ min: 0, max: 4_000_000_000_000 })),
        parts: fc.array(part, { maxLength: 3 }),
      })
      .map((fields) => compact(fields) as Omit<MediaSegment, 'msn' | 'map' | 'keys'>),
    { maxLength: 4 },
  ),
});

/** Any media playlist that can be written; not every one follows the rules. */
export const arbitraryMediaPlaylist: fc.Arbitrary<MediaPlaylist> = fc
  .record({
    epochs: fc.array(epoch, { maxLength: 4 }),
    version: fc.integer({ min: 1, max: 12 }),
    independentSegments: fc.boolean(),
    start: maybe(fc.record({ timeOffset: fc.integer({ min: -9, max: 9 }), precise: fc.boolean() })),
    targetDuration: fc.integer({ min: 4, max: 9 }),
    mediaSequence: fc.nat(1_000_000),
    discontinuitySequence: fc.nat(9),
    type: maybe(fc.constantFrom('EVENT' as const, 'VOD' as const)),
    ended: fc.boolean(),
    iFramesOnly: fc.boolean(),
    control: maybe(
      fc.record({
        canBlockReload: fc.boolean(),
        canSkipUntil: maybe(fc.integer({ min: 1, max: 60 })),
        canSkipDateRanges: fc.boolean(),
        holdBack: maybe(milliseconds(20)),
        partHoldBack: maybe(milliseconds(3)),
      }),
    ),
    partTarget: maybe(milliseconds(1)),
    parts: fc.array(part, { maxLength: 3 }),
    hint: maybe(
      fc.record({
        type: fc.constantFrom('PART' as const, 'MAP' as const),
        uri,
        start: fc.nat(99),
        length: maybe(fc.nat(99)),
      }),
    ),
    report: maybe(fc.record({ uri, lastMsn: maybe(fc.nat(99)), lastPart: maybe(fc.nat(9)) })),
    dateId: maybe(fc.constantFrom('ad-1', 'ad-2')),
  })
  .map((fields) => {
    const { epochs, control, hint, report, dateId, ...rest } = fields;
    const segments: MediaSegment[] = [];
    let map: Epoch['map'];
    let keys: Epoch['keys'];
    for (const one of epochs) {
      map = one.map ?? map;
      keys = one.keys ?? keys;
      for (const segment of one.segments) {
        const msn = rest.mediaSequence + segments.length;
        segments.push(compact({ ...segment, msn, map, keys }) as MediaSegment);
      }
    }
    return compact({
      kind: 'media',
      ...rest,
      serverControl: control && compact(control),
      segments,
      preloadHints: hint === undefined ? [] : [compact(hint)],
      renditionReports: report === undefined ? [] : [compact(report)],
      dateRanges:
        dateId === undefined
          ? []
          : [
              {
                id: dateId,
                attributes: { ID: `"${dateId}"`, 'START-DATE': '"2026-01-01T00:00:00Z"' },
              },
            ],
    }) as MediaPlaylist;
  });
