import { TaplineError } from '@tapline/base';
import type { Platform } from './platform.ts';

/** Parses `os/architecture` or `os/architecture/variant`. Throws `platform_invalid`. */
export function parsePlatform(text: string): Platform {
  const [os, architecture, variant, ...rest] = text.split('/');
  const parts = [os, architecture, variant].filter((part) => part !== undefined);
  if (
    os === undefined ||
    architecture === undefined ||
    rest.length > 0 ||
    !parts.every((part) => /^[a-z0-9][a-z0-9._-]{0,31}$/.test(part))
  ) {
    throw new TaplineError(
      'platform_invalid',
      `platform ${JSON.stringify(text.slice(0, 128))} is not os/architecture[/variant]`,
      { hint: 'write it as in linux/arm64 or linux/arm/v7' },
    );
  }
  return { os, architecture, ...(variant !== undefined && { variant }) };
}
