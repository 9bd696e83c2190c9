import { TaplineError } from '@tapline/base';

const units: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9 };

/** `500kB`, `10MB/s`: bytes a second. */
export function parseRate(text: string): number {
  const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)(B|kB|MB|GB)(?:\/s)?$/.exec(text) ?? [];
  const rate = Number(amount) * (units[unit] ?? Number.NaN);
  if (rate > 0) return rate;
  throw new TaplineError('usage', `--limit-rate is ${JSON.stringify(text)}; it must be a rate`, {
    hint: 'write it as 500kB or 10MB',
  });
}
