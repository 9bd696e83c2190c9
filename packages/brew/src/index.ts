export { bottleEntry, type BottleEntry, type BottleEntryOptions } from './bottle-entry.ts';
export { type BottleTag, bottleTagOf, describeBottleTag, platformOfTag } from './bottle-tag.ts';
export { bottleVersionTag } from './bottle-version-tag.ts';
export { formulaNotFound } from './formula-not-found.ts';
export type { BottleFile, Formula, FormulaService } from './formula.ts';
export {
  bottleRegistryUrl,
  bottleUrl,
  type BottleLocation,
  catalogueUrl,
  type HomebrewDomains,
  homebrewDomains,
} from './homebrew-domains.ts';
export { imageLabels } from './image-labels.ts';
export { imageUser } from './image-user.ts';
export type { Keg, KegEntry } from './keg.ts';
export { layerTime } from './layer-time.ts';
export { mainCommand } from './main-command.ts';
export { type PackageRequest, parsePackageRequest } from './package-request.ts';
export { parseFormula } from './parse-formula.ts';
export { openjdkOf } from './placeholders.ts';
export { pkgVersion } from './pkg-version.ts';
export { type ImageConfigInput, planImageConfig, type PlannedImage } from './plan-image-config.ts';
export { gccRuntimeLibraries, type LinkStep, planLinks } from './plan-links.ts';
export { cellar, prefix } from './prefix.ts';
export {
  type BottledFile,
  needsRelocation,
  relocateFile,
  type RelocatedFile,
  relocatorVersion,
  sniffBytes,
} from './relocate-file.ts';
export {
  type ClosureMember,
  resolveClosure,
  type ResolveClosureOptions,
} from './resolve-closure.ts';
export { parseTab, type Tab, type TabDependency } from './tab.ts';
