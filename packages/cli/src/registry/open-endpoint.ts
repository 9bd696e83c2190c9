import type { ImageEndpoint } from '@tapline/registry';
import type { Console } from '../framework/console.ts';
import type { ImagePlace } from './image-place.ts';
import { openRegistry, type RegistryFlagValues } from './open-registry.ts';

/** Where a command reads an image from or writes it to. */
export interface OpenedEndpoint extends AsyncDisposable {
  readonly endpoint: ImageEndpoint;
  readonly repository: string;
}

export async function openEndpoint(
  place: ImagePlace,
  flags: RegistryFlagValues,
  { console, mustExist }: { readonly console: Console; readonly mustExist: boolean },
): Promise<OpenedEndpoint> {
  if (place.kind === 'layout') {
    const { openOciLayout } = await import('@tapline/registry');
    const endpoint = await openOciLayout(place.directory, { mustExist });
    return { endpoint, repository: '', [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const endpoint = await openRegistry(place.host, flags, console);
  const { repository } = place;
  return { endpoint, repository, [Symbol.asyncDispose]: () => endpoint[Symbol.asyncDispose]() };
}
