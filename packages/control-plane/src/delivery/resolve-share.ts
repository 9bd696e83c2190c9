/**
 * How many of `total` a share means: a number as it is, a percentage rounded up, so that no share
 * above zero means nobody.
 */
export function resolveShare(share: number | string, total: number): number {
  if (typeof share === 'number') return share;
  return Math.ceil((total * Number(share.slice(0, -1))) / 100);
}
