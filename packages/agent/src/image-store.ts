import type { StorageReport } from '@tapline/gateway';
import type { ContainerConfig, Descriptor, Digest } from '@tapline/oci';
import type { InstallImage } from '@tapline/resources';

/** A blob that an image is made of. */
export type ImageBlob = Pick<Descriptor, 'digest' | 'size'>;

/** How far an image is on its way to a root file system. */
export type ImageState =
  | { readonly kind: 'unknown' }
  | {
      readonly kind: 'partial';
      /** Blobs that are still to be fetched. */
      readonly missing: readonly ImageBlob[];
      /** Layers that are still to be unpacked, base first. */
      readonly packed: readonly ImageBlob[];
      /** Bytes that fetching and unpacking will take. */
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
 * Errors: those of the registry client, `insufficient_storage`, `layer_invalid`.
 */
export interface ImageStore extends AsyncDisposable {
  inspect(image: InstallImage): Promise<ImageState>;
  /**
   * Sets bytes aside until the image is ready or `release`d. Throws `insufficient_storage` with
   * `neededBytes` and `availableBytes` in its details.
   */
  reserve(image: InstallImage, bytes: number): Promise<void>;
  release(image: InstallImage): void;
  fetchManifest(image: InstallImage, options: { readonly signal: AbortSignal }): Promise<void>;
  /** Bytes that came over the network. */
  fetchBlob(
    image: InstallImage,
    blob: ImageBlob,
    options: { readonly signal: AbortSignal },
  ): Promise<number>;
  unpackLayer(
    image: InstallImage,
    layer: ImageBlob,
    options: { readonly signal: AbortSignal },
  ): Promise<void>;
  layOut(image: InstallImage): Promise<void>;
  /** Of an image that is ready. */
  root(image: InstallImage): Promise<ImageRoot>;
  /** Deletes what no image of `keep` needs. */
  collect(keep: ReadonlySet<Digest>): Promise<void>;
  storage(): Promise<StorageReport>;
}
