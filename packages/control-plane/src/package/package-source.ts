import type { PackageImage, StageTimes, StatusError } from '@tapline/resources';

/** What resolving and building a package gave. */
export interface BuiltPackage {
  readonly version: string;
  readonly repository: string;
  /** The image index's digest. */
  readonly digest: string;
  readonly images: readonly PackageImage[];
  /** Platforms that cannot be built, while others could. */
  readonly failures: readonly { readonly platform: string; readonly error: StatusError }[];
  readonly stages: StageTimes;
}

/** Where packages come from. */
export interface PackageSource {
  /**
   * Resolves, builds and publishes; `onStage` is told what it is at. Fails with Homebrew's codes
   * where no platform could be built.
   */
  build(request: {
    readonly formula: string;
    readonly version?: string;
    /** In place of Homebrew: the image of the registry that the formula is a name for. */
    readonly image?: string;
    readonly platforms: readonly string[];
    readonly signal: AbortSignal;
    readonly onStage?: (stage: 'resolved' | 'built' | 'published') => void;
  }): Promise<BuiltPackage>;
}
