/** The tag of a version in a bottle registry: `<pkg_version>[-<rebuild>]` (`github_packages.rb`). */
export function bottleVersionTag(version: string, rebuild: number): string {
  return rebuild === 0 ? version : `${version}-${rebuild}`;
}
