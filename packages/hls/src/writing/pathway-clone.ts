import type { Pathway } from './add-pathways.ts';
import { type Attributes, readMultivariantLines, stableIdOf } from './multivariant-lines.ts';

/** A pathway that a player did not begin with (RFC 8216bis §7.2), as a steering manifest has it. */
export interface PathwayClone {
  readonly 'BASE-ID': string;
  readonly ID: string;
  readonly 'URI-REPLACEMENT': {
    readonly 'PER-VARIANT-URIS': Readonly<Record<string, string>>;
    readonly 'PER-RENDITION-URIS'?: Readonly<Record<string, string>>;
  };
}

/**
 * Tells a player that is on the pathway `base` of another one, by the stable ids that `addPathways`
 * gave: a host alone would leave scheme, port and path as they are.
 */
export function clonePathway(
  text: string,
  { base, pathway }: { readonly base: string; readonly pathway: Pathway },
): PathwayClone {
  const { media, variants, iFrames } = readMultivariantLines(text);
  const entry = (
    attributes: Attributes,
    name: string,
    uri: string | undefined,
  ): readonly (readonly [string, string])[] => {
    if (uri === undefined) return [];
    return [[attributes.get(name)?.text ?? stableIdOf(uri), pathway.resolve(uri)]];
  };
  const renditions = media.flatMap((one) => {
    return entry(one, 'STABLE-RENDITION-ID', one.get('URI')?.text);
  });
  return {
    'BASE-ID': base,
    ID: pathway.id,
    'URI-REPLACEMENT': {
      'PER-VARIANT-URIS': Object.fromEntries([
        ...variants.flatMap(({ attributes, uri }) => entry(attributes, 'STABLE-VARIANT-ID', uri)),
        ...iFrames.flatMap((one) => entry(one, 'STABLE-VARIANT-ID', one.get('URI')?.text)),
      ]),
      ...(renditions.length > 0 && { 'PER-RENDITION-URIS': Object.fromEntries(renditions) }),
    },
  };
}
