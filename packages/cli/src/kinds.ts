import { TaplineError } from '@tapline/base';
import { type ResourceDefinition, taplineResources } from '@tapline/resources';

/** The kinds a word on the command line names: `delivery`, `deliveries`, `dl`, `dl,in`, `all`. */
export function kindsNamed(word: string): readonly ResourceDefinition[] {
  return word.split(',').flatMap((name) => {
    const lower = name.toLowerCase().replace(/\.tapline\.dev$/, '');
    const found = taplineResources.filter(
      (kind) =>
        [kind.plural, kind.singular, kind.kind.toLowerCase()].includes(lower) ||
        kind.shortNames.includes(lower) ||
        (kind.categories.includes(lower) && lower !== ''),
    );
    if (found.length > 0) return found;
    throw new TaplineError('usage', `there is no kind ${JSON.stringify(name)}`, {
      hint: `kinds are ${taplineResources.map((kind) => kind.plural).join(', ')}`,
    });
  });
}

/** The kind of a manifest's `apiVersion` and `kind`. */
export function kindOf(apiVersion: unknown, kind: unknown): ResourceDefinition {
  const found = taplineResources.find(
    (one) => `${one.group}/${one.version}` === apiVersion && one.kind === kind,
  );
  if (found !== undefined) return found;
  throw new TaplineError(
    'usage',
    `apiVersion ${JSON.stringify(apiVersion)} kind ${JSON.stringify(kind)} is not known`,
    {
      hint: `write apiVersion: tapline.dev/v1alpha1 and one of the kinds ${taplineResources.map((one) => one.kind).join(', ')}`,
    },
  );
}

export interface ObjectReference {
  readonly definition: ResourceDefinition;
  readonly name: string;
}

/** Arguments such as `delivery jq git` or `delivery/jq device/ipad-1`. */
export function parseObjectReferences(words: readonly string[]): readonly ObjectReference[] {
  const [first = ''] = words;
  if (words.some((word) => word.includes('/'))) {
    return words.map((word) => {
      const [kind = '', ...rest] = word.split('/');
      const [definition] = kindsNamed(kind);
      const name = rest.join('/');
      if (definition !== undefined && name !== '' && rest.length === 1) return { definition, name };
      throw new TaplineError('usage', `${JSON.stringify(word)} is not KIND/NAME`, {
        hint: 'write all as KIND/NAME, or one KIND followed by names',
      });
    });
  }
  const [definition] = kindsNamed(first);
  if (definition === undefined) return [];
  return words.slice(1).map((name) => ({ definition, name }));
}
