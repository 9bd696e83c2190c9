import { TaplineError } from '@tapline/base';
import type { ImageConfig } from './image-config.ts';

/** Throws `image_config_invalid` naming the field. */
export function parseImageConfig(_input: Uint8Array | string): ImageConfig {
  throw new TaplineError('not_implemented', 'config parsing comes with the next change');
}
