// OCI distribution spec 1.1, "Pulling manifests": <name>, with the length limit of its
// implementations (name and host together at most 255 characters).
const repositoryPattern =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
export const maxRepositoryLength = 255;

/** Whether `text` is a repository name of OCI distribution 1.1. */
export function isRepositoryName(text: string): boolean {
  return text.length <= maxRepositoryLength && repositoryPattern.test(text);
}
