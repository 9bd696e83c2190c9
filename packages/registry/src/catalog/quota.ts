/** A limit on the bytes of a repository, of all below a path, or with `*` of the whole registry. */
export interface Quota {
  readonly scope: string;
  readonly limitBytes: number;
}

/** Whether a repository counts towards a scope. */
export function quotaCovers({ scope }: Quota, repository: string): boolean {
  return scope === '*' || repository === scope || repository.startsWith(`${scope}/`);
}
