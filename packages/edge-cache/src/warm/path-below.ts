import { TaplineError } from '@tapline/base';

/**
 * The path of what a playlist names, below the channel. Throws `not_below_channel` where it leads
 * elsewhere: players would go there, and not to the edges.
 */
export function pathBelow(base: string, url: string, named: string): string {
  if (url.startsWith(base)) return url.slice(base.length);
  throw new TaplineError(
    'not_below_channel',
    `a playlist names ${url.slice(0, 300)}, which is not below the channel`,
    {
      hint: `have ${new URL(named, base).pathname} name what it needs relatively, or spec.origin.base a folder that all of it is in`,
    },
  );
}
