import type { StorageReport } from '@tapline/gateway';
import type { ContainerConfig, Digest } from '@tapline/oci';
import type { InstallImage } from '@tapline/resources';

/** A layer of an image. */
export interface ImageLayer {
  readonly digest: Digest;
  /** Bytes as it travels. */
  readonly size: number;
}

/** How far an image is on its way to a root file system. */
export type ImageState =
  | { readonly kind: 'unknown' }
  | {
      readonly kind: 'partial';
      /** Layers that are still to be fetched, base first. */
      readonly missing: readonly ImageLayer[];
      /** Bytes of disk that they will take. */
      readonly neededBytes: number;
    }
  | { readonly kind: 'ready' };

/** A root file system to run programs in. */
export interface ImageRoot {
  readonly rootfs: string;
  readonly config: ContainerConfig;
}

/**
 * Images on the device, content-addressed. Every method may be repeated after a crash at any point.
 * Errors: those of the registry client and of the layer store, `insufficient_storage`,
 * `image_invalid`.
 */
export interface ImageStore extends AsyncDisposable {
  /** From here until `release` nothing of the image is collected. */
  inspect(image: InstallImage): Promise<ImageState>;
  /**
   * Sets bytes aside until `release`. Throws `insufficient_storage` with `neededBytes` and
   * `availableBytes` in its details.
   */
  reserve(image: InstallImage, bytes: number): Promise<void>;
  release(image: InstallImage): void;
  fetchManifest(image: InstallImage, options: { readonly signal: AbortSignal }): Promise<void>;
  /** Unpacks the layer as it arrives, and verifies both forms; answers the bytes that came. */
  fetchLayer(
    image: InstallImage,
    layer: ImageLayer,
    options: { readonly signal: AbortSignal },
  ): Promise<number>;
  layOut(image: InstallImage): Promise<void>;
  /** Of an image that is ready. */
  root(image: InstallImage): Promise<ImageRoot>;
  /** Deletes what no image of `keep` needs, and none that is on its way. */
  collect(keep: ReadonlySet<Digest>): Promise<void>;
  /** Resolves when what is ready survives a loss of power. */
  sync(): Promise<void>;
  storage(): Promise<StorageReport>;
}
