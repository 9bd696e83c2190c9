import { TaplineError } from '@tapline/base';

/** The name of a host, a service, a template or a package that is safe wherever Icinga puts it. */
export type IcingaName = string & { readonly __brand: 'IcingaName' };

const pattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;

/**
 * A name out of letters, digits, `.`, `_` and `-`. Icinga writes names into files of its own language
 * and into paths, and `!` parts a service from its host: nothing else is let through.
 * Throws `icinga_name_invalid`.
 */
export function parseIcingaName(text: string): IcingaName {
  if (pattern.test(text)) return text as IcingaName;
  throw new TaplineError(
    'icinga_name_invalid',
    `${JSON.stringify(text.slice(0, 100))} cannot be a name in Icinga`,
    { hint: 'use 1 to 253 letters, digits, . _ and - that begin and end with a letter or digit' },
  );
}
