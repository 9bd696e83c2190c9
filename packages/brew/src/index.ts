export { bottleEntry, type BottleEntry, type BottleEntryOptions } from './bottle-entry.ts';
export {
  type BottleTag,
  bottleTagOf,
  bottleTags,
  describeBottleTag,
  platformOfTag,
} from './bottle-tag.ts';
export { bottleRepository } from './bottle-repository.ts';
export { bottleVersionTag } from './bottle-version-tag.ts';
export { formulaNotFound } from './formula-not-found.ts';
export type { BottleFile, Formula } from './formula.ts';
export type { FormulaService } from './formula-service.ts';
export {
  bottleRegistryUrl,
  bottleUrl,
  type BottleLocation,
  catalogueUrl,
  type HomebrewDomains,
  homebrewDomains,
  packagesUrl,
} from './homebrew-domains.ts';
export { imageLabels } from './image-labels.ts';
export { imageUser } from './image-user.ts';
export type { Keg, KegEntry } from './keg.ts';
export { layerTime } from './layer-time.ts';
export { mainCommand } from './main-command.ts';
export { type PackageRequest, parsePackageRequest } from './package-request.ts';
export { parseFormula } from './parse-formula.ts';
export { openjdkOf } from './placeholders.ts';
export { type LayerMember, maxImageLayers, planLayers } from './plan-layers.ts';
export { pkgVersion } from './pkg-version.ts';
export { type ImageConfigInput, planImageConfig, type PlannedImage } from './plan-image-config.ts';
export {
  gccRuntimeLibraries,
  type LinkPlan,
  type LinkStep,
  planLinks,
  type UnlinkedKeg,
} from './plan-links.ts';
export { imageTree, treeChanges } from './post-install/image-tree.ts';
export type { StepProgram } from './post-install/plan-programs.ts';
export {
  type DirectoryNode,
  directoryNode,
  type FileContent,
  PrefixTree,
  type TreeNode,
} from './post-install/prefix-tree.ts';
export {
  type FormulaSteps,
  runInstallSteps,
  type StepLeftOut,
  type StepRunner,
} from './post-install/run-install-steps.ts';
export type { StepContext } from './post-install/step-context.ts';
export { StepFailure } from './post-install/step-failure.ts';
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
