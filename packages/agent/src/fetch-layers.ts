import type { InstallImage } from '@tapline/resources';
import type { ImageLayer, ImageStore } from './image-store.ts';

const parallelFetches = 4;

/**
 * Fetches layers, a few at a time. `onFetched` hears the bytes of each that came over the network.
 * When one fails, those under way are waited for, so that none goes on after the failure is thrown.
 */
export async function fetchLayers(
  images: Pick<ImageStore, 'fetchLayer'>,
  wanted: { readonly image: InstallImage; readonly layers: readonly ImageLayer[] },
  options: { readonly signal: AbortSignal; readonly onFetched: (bytes: number) => void },
): Promise<void> {
  const { image, layers } = wanted;
  const waiting = [...layers];
  async function fetchSome(): Promise<void> {
    for (let layer = waiting.shift(); layer !== undefined; layer = waiting.shift()) {
      const bytes = await images.fetchLayer(image, layer, { signal: options.signal });
      if (bytes > 0) options.onFetched(bytes);
    }
  }
  const workers = Array.from({ length: Math.min(parallelFetches, layers.length) }, fetchSome);
  const results = await Promise.allSettled(workers);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
