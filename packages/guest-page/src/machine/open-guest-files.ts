import type { ContainerConfig } from '@tapline/oci';
import { type LayerDirectory, tarLayers } from '@tapline/userland';
import { fetchImage } from '../image/fetch-image.ts';
import { readSynchronously } from '../image/read-synchronously.ts';
import { servedFolder } from '../image/served-folder.ts';
import type { GuestSource } from './messages.ts';

export interface GuestFiles {
  readonly files: LayerDirectory;
  readonly config: ContainerConfig;
}

/** A guest's files: an image is fetched and unpacked, a folder as far as it is looked at. */
export async function openGuestFiles(
  source: GuestSource,
  onProgress: (fetched: number, of: number) => void,
): Promise<GuestFiles> {
  if (source.kind === 'folder') {
    return { files: servedFolder((path) => readSynchronously(source.url + path)), config: {} };
  }
  const { layers, config } = await fetchImage(source, onProgress);
  return { files: tarLayers(layers), config };
}
