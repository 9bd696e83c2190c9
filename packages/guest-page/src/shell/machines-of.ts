/**
 * How many WebAssembly memories a browser has fast ones of: WebKit checks the bounds of each access
 * beyond that, which costs more than to put a process aside. 3 on iPads, 8 elsewhere.
 */
export function machinesOf(browser: {
  readonly userAgent: string;
  readonly maxTouchPoints: number;
}): number {
  const webKit = browser.userAgent.includes('AppleWebKit/');
  const other = /Chrom(e|ium)\//.test(browser.userAgent);
  return webKit && !other && browser.maxTouchPoints > 1 ? 3 : 8;
}
