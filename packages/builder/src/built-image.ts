import type { BottleTag } from '@tapline/brew';
import type { Descriptor, Digest, ImageConfig, Platform } from '@tapline/oci';
import type { Compression } from './compression.ts';
import type { LayerFacts } from './layer-record.ts';
import type { PackagePlan } from './package-plan.ts';

/** A layer of an image: a formula's, that of several, or the links, which belong to no formula. */
export interface BuiltLayer extends LayerFacts {
  readonly formula?: string;
  /** Those that share the layer, where they are several. */
  readonly formulae?: readonly string[];
  readonly version?: string;
}

/** The image of one platform. */
export interface BuiltPlatform {
  readonly tag: BottleTag;
  readonly plan: PackagePlan;
  readonly platform: Platform;
  readonly manifest: Descriptor;
  readonly config: ImageConfig;
  readonly configDigest: Digest;
  /** Base first. */
  readonly layers: readonly BuiltLayer[];
  /** Of all layers, for a device to reserve. */
  readonly unpackedSize: number;
  readonly fileCount: number;
  /** Absolute path of what the image runs. */
  readonly mainCommand?: string;
  readonly executables: readonly string[];
}

/** Durations in ms; a stage ends when it ends for the last of the platforms. */
export interface BuildTimings {
  readonly planMs: number;
  readonly fetchMs: number;
  readonly layersMs: number;
  readonly assembleMs: number;
  readonly totalMs: number;
}

/** A package as images; all that they refer to is in the store. */
export interface BuiltImage {
  readonly index: Descriptor;
  readonly formula: string;
  readonly packageVersion: string;
  readonly compression: Compression;
  readonly images: readonly BuiltPlatform[];
  readonly timings: BuildTimings;
}
