import { TaplineError } from '@tapline/base';
import { parseDigest } from './digest.ts';
import type { Reference } from './reference.ts';
import { isRepositoryName } from './repository-name.ts';
import { isTag } from './tag.ts';

export interface ParseReferenceOptions {
  /** Where names without a registry are; `docker.io` (with `library/`) unless told. */
  readonly defaultRegistry?: string;
  /** The tag of names with neither tag nor digest; `latest` unless told. */
  readonly defaultTag?: string;
}

const label = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const registryPattern = new RegExp(
  `^(?:${label}(?:\\.${label})*|\\[[0-9a-fA-F:]{2,39}\\])(?::[0-9]{1,5})?$`,
);

/**
 * Parses `[registry/]repository[:tag][@digest]` by the grammar of the distribution project.
 * The first component is a registry when it has a dot, a colon or an upper-case letter or is
 * `localhost`. Throws `reference_invalid`, or `digest_invalid`.
 */
export function parseReference(text: string, options: ParseReferenceOptions = {}): Reference {
  const at = text.indexOf('@');
  const digest = at < 0 ? undefined : parseDigest(text.slice(at + 1));
  const named = at < 0 ? text : text.slice(0, at);

  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  const hasRegistry = /[.:A-Z]/.test(first) || first === 'localhost';
  const givenRegistry = hasRegistry ? first : (options.defaultRegistry ?? 'docker.io');
  const registry = givenRegistry === 'index.docker.io' ? 'docker.io' : givenRegistry;
  const path = hasRegistry ? named.slice(slash + 1) : named;

  const colon = path.indexOf(':');
  const name = colon < 0 ? path : path.slice(0, colon);
  const givenTag = colon < 0 ? undefined : path.slice(colon + 1);
  const tag = givenTag ?? (digest === undefined ? (options.defaultTag ?? 'latest') : undefined);
  const repository = registry === 'docker.io' && !name.includes('/') ? `library/${name}` : name;

  if (!registryPattern.test(registry)) throw invalid(text, `registry ${quote(registry)}`);
  if (!isRepositoryName(repository) || registry.length + repository.length >= 255) {
    throw invalid(text, `repository ${quote(name)}`);
  }
  if (tag !== undefined && !isTag(tag)) throw invalid(text, `tag ${quote(tag)}`);
  return {
    registry,
    repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest }),
  };
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 300));
}

function invalid(text: string, part: string): TaplineError {
  return new TaplineError('reference_invalid', `${part} of reference ${quote(text)} is not valid`, {
    hint: 'write it as [registry/]repository[:tag][@digest], the repository in lower case',
  });
}
