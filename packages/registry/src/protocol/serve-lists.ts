import { TaplineError } from '@tapline/base';
import { type Digest, mediaTypes } from '@tapline/oci';
import { answerJson, type Exchange, type RegistryState } from './exchange.ts';

const maxTags = 1000;

/** GET of `tags/list`, with `n` and `last`. */
export function serveTags(state: RegistryState, exchange: Exchange, repository: string): void {
  if (!state.index.hasRepository(repository)) {
    throw new TaplineError('name_unknown', `repository ${repository} does not exist`);
  }
  const asked = exchange.query.get('n');
  const limit =
    asked !== null && /^\d{1,9}$/.test(asked) ? Math.min(Number(asked), maxTags) : maxTags;
  const last = exchange.query.get('last') ?? '';
  const found = state.index.tags(repository, { last, limit: limit + 1 });
  const tags = found.slice(0, limit);
  const next = new URLSearchParams({ n: String(limit), last: tags.at(-1) ?? last });
  answerJson(
    exchange,
    { name: repository, tags },
    found.length > limit && limit > 0
      ? { link: `</v2/${repository}/tags/list?${next.toString()}>; rel="next"` }
      : {},
  );
}

/** GET of `referrers/<digest>`: an index, empty where nothing refers to the digest. */
export function serveReferrers(
  state: RegistryState,
  exchange: Exchange,
  subject: { readonly repository: string; readonly digest: Digest },
): void {
  const artifactType = exchange.query.get('artifactType');
  const all = state.index.referrers(subject.repository, subject.digest);
  const manifests =
    artifactType === null ? all : all.filter((found) => found.artifactType === artifactType);
  answerJson(
    exchange,
    { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests },
    {
      'content-type': mediaTypes.ociIndex,
      ...(artifactType !== null && { 'oci-filters-applied': 'artifactType' }),
    },
  );
}
