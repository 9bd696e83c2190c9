export { applyLayers, type MergedEntry } from './apply-layers.ts';
export type { Annotations, Descriptor } from './descriptor.ts';
export { BlockExcerpts, type CommonBytes } from './deflate/block-excerpts.ts';
export { CompressedInput } from './deflate/compressed-input.ts';
export { DeflateEncoder, deflateEnd, type KeptBits } from './deflate/deflate-encoder.ts';
export { InflateDecoder, type InflatedBlock } from './deflate/inflate-decoder.ts';
export { digestBytes } from './digest-bytes.ts';
export { type Digest, parseDigest } from './digest.ts';
export { encodeManifest } from './encode-manifest.ts';
export { encodeTarEntry, tarPadding, tarTrailer } from './encode-tar-entry.ts';
export { encodeTar, type TarMember } from './encode-tar.ts';
export {
  encodeFileIndex,
  type FileIndex,
  fileIndexMediaType,
  type IndexedPath,
  parseFileIndex,
} from './file-index.ts';
export { formatPlatform } from './format-platform.ts';
export { formatReference } from './format-reference.ts';
export type { ContainerConfig, HistoryEntry, ImageConfig } from './image-config.ts';
export type { ImageIndex } from './image-index.ts';
export type { ImageManifest } from './image-manifest.ts';
export { mediaTypes } from './media-types.ts';
export { parseImageConfig } from './parse-image-config.ts';
export { maxManifestBytes, parseManifest, type ParsedManifest } from './parse-manifest.ts';
export { parsePlatform } from './parse-platform.ts';
export { parseReference, type ParseReferenceOptions } from './parse-reference.ts';
export type { Platform } from './platform.ts';
export type { Reference } from './reference.ts';
export { isRepositoryName } from './repository-name.ts';
export { assertSafeEntry } from './safe-entry.ts';
export { selectPlatform } from './select-platform.ts';
export { isTag } from './tag.ts';
export { TarDecoder, type TarDecoderOptions, type TarEvent } from './tar-decoder.ts';
export type { TarEntry } from './tar-entry.ts';
export { classifyWhiteout, type Whiteout, whiteoutPrefix } from './whiteout.ts';
