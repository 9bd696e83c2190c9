/**
 * The upstream part of a Debian version (deb-version(7)) as Homebrew would write it:
 * no epoch, no Debian revision, no `+dfsg`, `~rc1` or `.dfsg` marker.
 */
export function upstreamVersion(debianVersion: string): string {
  return debianVersion
    .replace(/^\d+:/, '')
    .replace(/-[^-]*$/, '')
    .replace(/[+~].*$/, '')
    .replace(/\.(dfsg|ds).*$/, '');
}
