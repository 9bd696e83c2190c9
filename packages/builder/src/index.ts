export { attachReferrers, type AttachOptions } from './attest/attach-referrers.ts';
export type { BuildEvent, OnBuildEvent } from './build-event.ts';
export type { BuildImageRequest } from './build-image.ts';
export type { BuildTimings, BuiltImage, BuiltLayer, BuiltPlatform } from './built-image.ts';
export {
  createImageBuilder,
  type ImageBuilder,
  type ImageBuilderInit,
} from './create-image-builder.ts';
export type { FreeBytes } from './disk-admission.ts';
export type { CallOptions, HomebrewApi, RegistryBottle } from './homebrew-api.ts';
export type { LayerFacts } from './layer-record.ts';
export { writeOciLayout, type WriteOciLayoutOptions } from './write-oci-layout.ts';
export type { ImagePlan } from './plan-image.ts';
export type { PlannedLayer, PlannedPlatform } from './plan-platform.ts';
