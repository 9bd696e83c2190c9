import type { Rng } from '@tapline/base';

const letters = 'abcdefghjkmnpqrstuvwxyz23456789';
const length = 5;

/** A name for the device that no other is likely to have: `ipad-x3k9f`. */
export function suggestName(
  browser: { readonly userAgent: string; readonly maxTouchPoints: number },
  rng: Rng,
): string {
  let name = `${kindOf(browser)}-`;
  for (let at = 0; at < length; at += 1) name += letters[Math.floor(rng() * letters.length)];
  return name;
}

function kindOf(browser: { readonly userAgent: string; readonly maxTouchPoints: number }): string {
  const { userAgent, maxTouchPoints } = browser;
  if (userAgent.includes('iPhone')) return 'iphone';
  // iPads say that they are Macs, which have no touch screens.
  if (userAgent.includes('iPad') || (userAgent.includes('Macintosh') && maxTouchPoints > 1)) {
    return 'ipad';
  }
  return 'browser';
}
