import { isRepositoryName } from '@tapline/oci';

/** What may be done with one thing, as an entry of a token's `access`. */
export interface RegistryScope {
  readonly type: 'repository' | 'registry';
  readonly name: string;
  readonly actions: readonly string[];
}

const maxScopes = 64;
const maxLength = 512;

/**
 * Parses the `scope` parameters of a token request, each one or several of
 * `repository:<name>:<action>,<action>`, a space between. What is not understood is left out: a
 * token simply lacks it, as the specification of token authentication has it.
 */
export function parseRegistryScopes(texts: readonly string[]): readonly RegistryScope[] {
  return texts
    .flatMap((text) => text.split(' '))
    .filter((text) => text !== '' && text.length <= maxLength)
    .slice(0, maxScopes)
    .flatMap((text) => parseOne(text) ?? []);
}

function parseOne(text: string): RegistryScope | undefined {
  // A name may hold a host with its port: only the last colon ends it.
  const [, type, name = '', list = ''] =
    /^(repository|registry)(?:\([a-z0-9]+\))?:(.+):([a-z*,]*)$/.exec(text) ?? [];
  const actions = [...new Set(list.split(',').filter((action) => action !== ''))].toSorted();
  if (type === 'repository' && isRepositoryName(name)) return { type, name, actions };
  return type === 'registry' && name === 'catalog' ? { type, name, actions } : undefined;
}

export function formatRegistryScope({ type, name, actions }: RegistryScope): string {
  return `${type}:${name}:${actions.join(',')}`;
}
