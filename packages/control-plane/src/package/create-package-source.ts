import type { PackageSource } from './package-source.ts';

/** Packages from Homebrew, and images that are in the registry, each from where it is. */
export function createPackageSource(from: {
  readonly homebrew: PackageSource;
  readonly images: PackageSource;
}): PackageSource {
  return {
    build: (request) => (request.image === undefined ? from.homebrew : from.images).build(request),
  };
}
