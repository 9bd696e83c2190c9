import type { Reference } from './reference.ts';

/** `registry/repository[:tag][@digest]`; `parseReference` reads it back. */
export function formatReference({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${
    digest === undefined ? '' : `@${digest}`
  }`;
}
