/** Where a control plane serves the page in which a browser becomes a device. */
export const devicePagePath = '/device/';

/**
 * A link with which a browser joins. The token is in its fragment, which browsers send to nobody: it is in no
 * log and in no referrer.
 */
export function formatJoinLink(server: string | URL, token: string): string {
  const url = new URL(devicePagePath, server);
  url.hash = token;
  return url.href;
}
