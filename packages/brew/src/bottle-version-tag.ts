/**
 * The tag of a version in a bottle registry: `<pkg_version>[-<rebuild>]`, where a `.` stands for
 * what a tag cannot have (`github_packages.rb#image_version_rebuild`).
 */
export function bottleVersionTag(version: string, rebuild: number): string {
  const text = rebuild === 0 ? version : `${version}-${rebuild}`;
  return text.replaceAll(/[^A-Za-z0-9._-]/g, '.');
}
