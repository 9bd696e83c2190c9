import { TaplineError } from '@tapline/base';

const units: Readonly<Record<string, number>> = { kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };

/** `512MB`, `1.5TB`: bytes. */
export function parseSize(text: string, flag: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,6}(?:\.\d{1,3})?)(kB|MB|GB|TB)$/.exec(text) ?? [];
  const bytes = Number(amount) * (units[unit] ?? Number.NaN);
  if (bytes > 0) return bytes;
  throw new TaplineError('usage', `--${flag} is ${JSON.stringify(text)}; it must be a size`, {
    hint: 'write it as 512MB or 1.5TB',
  });
}
